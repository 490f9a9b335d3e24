"""The whole application, put together."""

from collections.abc import Callable, Iterable, Mapping

import structlog
from litestar import Litestar
from litestar.di import Provide
from litestar.types import Scope

from events.catalog import Catalog
from events.event import Event
from hosting.adapters.git.static_credentials import StaticGitCredentials
from hosting.adapters.sql.sqlite_file import OnConnect
from hosting.api.access import check_request, identity_of
from hosting.api.admission_guard import AdmissionGuard
from hosting.api.caller import Caller
from hosting.api.caller_guard import CallerGuard
from hosting.api.fleet.routing_call import RoutingCall
from hosting.api.fleet.routing_faults import RoutingTolerance
from hosting.api.head import HeadAsGet
from hosting.api.keyless import Keyless
from hosting.api.live import LiveSettings
from hosting.api.openapi import documentation
from hosting.api.options import options_of
from hosting.api.origins import OriginGuard
from hosting.api.problems import HANDLERS
from hosting.api.readiness import Readiness
from hosting.api.routes import SIGNS_OF_LIFE, free_paths, routes
from hosting.api.shares import Shares
from hosting.api.stream_places import StreamPlaces
from hosting.lifespan import running
from hosting.ports.clock import system_clock
from hosting.ports.tools import Tool
from hosting.ports.tracker import Tracker
from hosting.roster import roster_of
from hosting.server import Server, started
from hosting.settings import Settings, SettingsRefused

_log = structlog.get_logger("branchline")


def create_app(
    agents: Mapping[str, object] | None = None,
    *,
    settings: Settings | None = None,
    tools: Iterable[Tool] = (),
    events: Iterable[type[Event]] = (),
    fatal: Callable[[BaseException], None] | None = None,
    on_connect: OnConnect | None = None,
    tracker: Tracker | None = None,
) -> Litestar:
    """Build the application that `branchline serve` serves: the demo agent, the given agents, tools and custom events.

    An agent is an Agent, an agent of pydantic-ai's, or an async function that takes the run context.
    `tracker` is what workers reach an issue tracker by.

    Raises:
        TypeError: what is given as an agent is none.
        AgentRefused: an agent of pydantic-ai's needs deps.
        SettingsRefused: the default agent is none of the agents, two tools have the same name, or the model of the
            settings cannot be used.
        AgentFileRefused: a definition in a file cannot be taken.
        CatalogError: a custom event cannot be registered.
    """
    chosen = settings or Settings()
    roster = roster_of(agents or {}, chosen, tools)
    catalog = Catalog.standard()
    for event in events:
        catalog.register(event)
    server = Server(chosen, roster, catalog, fatal or _log_fatal, on_connect)
    server.tracker, server.git = tracker, _git(chosen)
    return _litestar(server)


def _git(settings: Settings) -> StaticGitCredentials:
    try:
        return StaticGitCredentials(settings.git_credentials, system_clock)
    except ValueError as error:
        raise SettingsRefused(f"The setting git_credentials cannot be used: {error}.") from error


def server_of(app: Litestar) -> Server:
    """Return what `create_app` put the application together from."""
    server: Server = app.state.server
    return server


def _litestar(server: Server) -> Litestar:
    live = LiveSettings(heartbeat_seconds=server.settings.heartbeat_seconds)
    app = Litestar(
        route_handlers=[options_of(routes()), *routes()],
        lifespan=[lambda app: running(server)],
        dependencies=_dependencies(server),
        before_request=check_request,
        middleware=[lambda app: StreamPlaces(app, server.capacity)],
        exception_handlers=dict(HANDLERS),
        openapi_config=documentation(),
        logging_config=None,
    )
    # The framework's own middleware does not see what its router refuses, and a browser hides an unmarked 404.
    keyless = Keyless(server.settings.host, server.settings.origins, server.settings.public_url)
    tolerance = RoutingTolerance(enabled=server.settings.routing_selector_enabled)
    shares = Shares()
    known = CallerGuard(app.asgi_handler, lambda: started(server.callers), keyless, free_paths(), tolerance, shares)
    guarded = AdmissionGuard(known, server.capacity, shares, SIGNS_OF_LIFE)
    app.asgi_handler = OriginGuard(HeadAsGet(guarded), server.settings.origins, server.settings.host)
    app.state.server = server
    app.state.live = live
    app.state.capacity = server.capacity
    app.state.recursive_delete = server.settings.recursive_delete
    return app


def _dependencies(server: Server) -> dict[str, Provide]:
    """Return what routes are handed by the names that they call it."""
    readiness = Readiness(server.recovered, server.rings, server.ping)

    def caller_of(scope: Scope) -> Caller:
        return server.caller(identity_of(scope))

    def routing_of(scope: Scope) -> RoutingCall:
        return RoutingCall(identity_of(scope), started(server.fleet), started(server.router))

    return {
        "caller": Provide(caller_of, sync_to_thread=False),
        "callers": Provide(lambda: started(server.callers), sync_to_thread=False),
        "fleet": Provide(lambda: started(server.fleet), sync_to_thread=False),
        "credentials": Provide(lambda: started(server.credentials), sync_to_thread=False),
        "contents": Provide(lambda: started(server.contents), sync_to_thread=False),
        "router": Provide(lambda: started(server.router), sync_to_thread=False),
        "routing": Provide(routing_of, sync_to_thread=False),
        "remote": Provide(lambda: started(server.remote), sync_to_thread=False),
        "capacity": Provide(lambda: server.capacity, sync_to_thread=False),
        "readiness": Provide(lambda: readiness, sync_to_thread=False),
    }


def _log_fatal(error: BaseException) -> None:
    _log.critical("the server cannot go on", error=repr(error))
