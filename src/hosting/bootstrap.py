"""The whole application, put together: the only code that names adapters."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any, TypeVar

import structlog
from litestar import Litestar
from litestar.di import Provide
from litestar.types import Scope

from events.catalog import Catalog
from events.control import CloseReason
from events.event import Event
from events.ids import IdSource
from events.serializer import Serializer
from hosting.adapters.files.key_file import SigningKeys, signing_keys
from hosting.adapters.git.static_credentials import StaticGitCredentials
from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.adapters.sql.address import shown
from hosting.adapters.sql.database import Database, open_database
from hosting.adapters.sql.sqlite_file import OnConnect
from hosting.adapters.tokens.worker_tokens import JwtWorkerTokens
from hosting.api.access import check_request, identity_of
from hosting.api.caller import Caller, caller_for
from hosting.api.caller_guard import CallerGuard
from hosting.api.callers import Callers
from hosting.api.fleet.routing_faults import RoutingTolerance
from hosting.api.head import HeadAsGet
from hosting.api.keyless import Keyless
from hosting.api.live import LiveSettings
from hosting.api.openapi import documentation
from hosting.api.options import options_of
from hosting.api.origins import OriginGuard
from hosting.api.problems import HANDLERS
from hosting.api.readiness import Readiness
from hosting.api.routes import free_paths, routes
from hosting.dispatch.dispatcher import Dispatcher
from hosting.domain.admission import KeyFileRefused
from hosting.domain.errors import StorageRefused, StorageUnavailable
from hosting.domain.identity import LOCAL, Identity
from hosting.domain.lease import Holder, Lease
from hosting.domain.scope import NodeId
from hosting.ports.clock import system_clock
from hosting.ports.git_credentials import GitCredentials
from hosting.ports.tools import Tool
from hosting.ports.tracker import Tracker
from hosting.roster import Roster, roster_of
from hosting.runtime.agent_task import Stragglers
from hosting.runtime.agents import Agents
from hosting.runtime.core import Runtime
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.desks import Desks
from hosting.runtime.execute import Executor
from hosting.runtime.rings import Rings
from hosting.runtime.tops import watch_tops
from hosting.runtime.wakes import Wakes
from hosting.runtime.watch import watch_interactions
from hosting.runtime.writer import Writer
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.news import News
from hosting.services.credentials.of_runs import CredentialsOfRuns
from hosting.services.credentials.trail import Trail
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.remote_runs import RemoteRuns
from hosting.services.fleet.sweep import watch_fleet
from hosting.services.routing.candidates import CandidateRouter
from hosting.services.routing.core import Router
from hosting.services.routing.known_posteriors import KnownPosteriors
from hosting.services.routing.prune import watch_routing
from hosting.settings import Settings, SettingsRefused

_log = structlog.get_logger("branchline")

T = TypeVar("T")

_SWITCH_INTERVAL = 0.0005
_PRUNING_SECONDS = 60.0


@dataclass(slots=True)
class Server:
    """What stays the same for the life of an application, running or not.

    `fatal` is called when something that must not end has ended, and `failed` is set; the process should follow it.
    `refused` says why the application could not start; `stragglers` are agents that ignore that they were cancelled.
    """

    settings: Settings
    roster: Roster
    catalog: Catalog
    fatal: Callable[[BaseException], None]
    on_connect: OnConnect | None = None
    git: GitCredentials = field(default_factory=lambda: StaticGitCredentials(None, system_clock))
    tracker: Tracker | None = None
    rings: Rings = field(default_factory=Rings)
    recovered: asyncio.Event = field(default_factory=asyncio.Event)
    runtime: Runtime | None = None
    database: Database | None = None
    tokens: JwtWorkerTokens | None = None
    callers: Callers | None = None
    fleet: Fleet | None = None
    known: KnownPosteriors | None = None
    router: Router | None = None
    remote: RemoteRuns | None = None
    cipher: AesGcmCipher | None = None
    credentials: Credentials | None = None
    dispatcher: Dispatcher | None = None
    stragglers: Stragglers = field(default_factory=set)
    refused: str = ""
    failed: bool = False

    def shut(self, reason: CloseReason) -> None:
        """Send the followers away; the first thing on the way out."""
        self.rings.shut(reason)
        if self.credentials is not None:
            self.credentials.news.shut()

    async def finish_runs(self) -> None:
        """Begin no more runs, give those that are under way the grace, and give back what has not ended then."""
        if self.dispatcher is not None and not self.failed:
            await self.dispatcher.finish(self.settings.grace_seconds)

    def caller(self, identity: Identity = LOCAL) -> Caller:
        """Return the hands of somebody."""
        return caller_for(_started(self.runtime), identity)

    def caller_of(self, scope: Scope) -> Caller:
        """Return the hands of whoever asks."""
        return self.caller(identity_of(scope))

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        await _started(self.database).ping()


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
    readiness = Readiness(server.recovered, server.rings, server.ping)
    app = Litestar(
        route_handlers=[options_of(routes()), *routes()],
        lifespan=[lambda app: _running(server)],
        dependencies={
            "caller": Provide(server.caller_of, sync_to_thread=False),
            "callers": Provide(lambda: _started(server.callers), sync_to_thread=False),
            "fleet": Provide(lambda: _started(server.fleet), sync_to_thread=False),
            "credentials": Provide(lambda: _started(server.credentials), sync_to_thread=False),
            "router": Provide(lambda: _started(server.router), sync_to_thread=False),
            "remote": Provide(lambda: _started(server.remote), sync_to_thread=False),
            "readiness": Provide(lambda: readiness, sync_to_thread=False),
        },
        before_request=check_request,
        exception_handlers=dict(HANDLERS),
        openapi_config=documentation(),
        logging_config=None,
    )
    # The framework's own middleware does not see what its router refuses, and a browser hides an unmarked 404.
    keyless = Keyless(server.settings.host, server.settings.origins, server.settings.public_url)
    tolerance = RoutingTolerance(enabled=server.settings.routing_selector_enabled)
    guarded = CallerGuard(app.asgi_handler, lambda: _started(server.callers), keyless, free_paths(), tolerance)
    app.asgi_handler = OriginGuard(HeadAsGet(guarded), server.settings.origins, server.settings.host)
    app.state.server = server
    app.state.live = live
    app.state.recursive_delete = server.settings.recursive_delete
    return app


@asynccontextmanager
async def _running(server: Server) -> AsyncIterator[None]:
    """Open the database, start what runs beside requests, and stop it again in the opposite order."""
    # The writer's thread must not wait 5 ms for its turn at the interpreter after each commit.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    settings = server.settings
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.roster.builder.close)
        server.database = database = await _open_database(server, stack)
        if database.exclusive:
            await database.leases.expire_all()
        _read_keys(server, database)
        writer = Writer(database.events, server.rings, shards=database.writers)
        await _start(server, stack, "writer", writer.run())
        server.known = KnownPosteriors(database.routing, monotonic)
        accepted: list[Callable[[Lease], None]] = []
        holder = Holder(NodeId(uuid.uuid4().hex), settings.lease_seconds)
        # Filled below: the runtime and the dispatcher each need the other.
        server.runtime = _runtime(server, database, writer, holder, lambda lease: accepted[0](lease))  # noqa: PLW0108
        executor = Executor(server.runtime, settings.run_attempts)
        server.dispatcher = dispatcher = Dispatcher(
            executor, database.leases, holder, sweep_seconds=settings.sweep_seconds
        )
        accepted.append(dispatcher.accepted)
        await _start(server, stack, "tops", watch_tops(server.rings, database.log, every_seconds=settings.tops_seconds))
        watching = watch_interactions(server.runtime, database.watch, every_seconds=settings.sweep_seconds)
        await _start(server, stack, "interactions", watching)
        await _start_credentials(server, database, stack)
        server.fleet = _fleet(server, database)
        server.router = _router(server, database)
        await _start(server, stack, "routing", watch_routing(server.router, every_seconds=_PRUNING_SECONDS))
        server.remote = RemoteRuns(server.fleet, database.watch)
        await _start(server, stack, "fleet", watch_fleet(server.fleet, every_seconds=settings.sweep_seconds))
        await _start(server, stack, "dispatcher", dispatcher.run(server.recovered))
        await server.recovered.wait()
        yield
        dispatcher.leave()


async def _start_credentials(server: Server, database: Database, stack: AsyncExitStack) -> None:
    runtime, changes, audit = _started(server.runtime), database.credential_changes, database.credential_audit
    trail, news = Trail(audit, system_clock, runtime.ids.audit_entry), News(changes)
    cipher = _started(server.cipher)
    stores = database.credentials, database.sealed_configs, changes, audit
    server.credentials = Credentials(runtime, *stores, cipher, trail, news)
    # Left in the opposite order: once nobody writes any more, what waits is written.
    stack.push_async_callback(trail.flush)
    await _start(server, stack, "audit", trail.run())
    await _start(server, stack, "credentials", news.run(server.settings.sweep_seconds))


def _fleet(server: Server, database: Database) -> Fleet:
    runtime, settings = _started(server.runtime), server.settings
    return Fleet(
        runtime=runtime,
        work=database.work,
        workers=database.workers,
        mutations=database.mutations,
        inbox=database.inbox,
        leases=database.leases,
        watch=database.watch,
        files=database.files,
        tracker=server.tracker,
        desks=Desks(runtime, database.work, settings.worker_lease_seconds, attempts=settings.worker_attempts),
        tokens=_started(server.tokens),
        lanes=database.lanes,
        git=server.git,
        lease_seconds=settings.worker_lease_seconds,
        lane_seconds=settings.lane_lease_seconds,
        attempts=settings.worker_attempts,
    )


def _router(server: Server, database: Database) -> Router:
    settings = server.settings
    return Router(
        store=database.routing,
        known=_started(server.known),
        agents=_started(server.runtime).agents,
        chance=Random(),  # noqa: S311 - nothing is kept secret by it
        clock=system_clock,
        enabled=settings.routing_selector_enabled,
        exploration_rate=settings.routing_exploration_rate,
    )


def _runtime(
    server: Server, database: Database, writer: Writer, holder: Holder, run_accepted: Callable[[Lease], None]
) -> Runtime:
    roster = server.roster
    cipher = _started(server.cipher)
    defined = DefinedAgents(lambda tenant: database.definitions(tenant, cipher), roster.workshop)
    return Runtime(
        agents=Agents(roster.registered, roster.default, defined),
        serializer=Serializer(server.catalog),
        ids=IdSource(),
        clock=system_clock,
        writer=writer,
        rings=server.rings,
        log=database.log,
        run_reads=database.runs,
        tenant=database.tenant,
        stragglers=server.stragglers,
        holder=holder,
        wakes=Wakes(),
        run_accepted=run_accepted,
        cipher=cipher,
        client_endpoints=server.settings.client_endpoints,
        router=_candidates(server),
        vault=CredentialsOfRuns(database.credentials, cipher, server.settings.credentials_environment),
    )


def _candidates(server: Server) -> CandidateRouter:
    settings = server.settings
    return CandidateRouter(
        known=_started(server.known),
        chance=Random(),  # noqa: S311 - nothing is kept secret by it
        enabled=settings.routing_selector_enabled,
        exploration_rate=settings.routing_exploration_rate,
    )


def _started(part: T | None) -> T:
    if part is None:
        raise RuntimeError("The application has not started; enter its lifespan first.")
    return part


async def _open_database(server: Server, stack: AsyncExitStack) -> Database:
    settings = server.settings
    try:
        return await open_database(
            settings.database_url.reveal(), stack, lease_seconds=settings.lease_seconds, on_connect=server.on_connect
        )
    except StorageRefused as error:
        server.refused = str(error)
        raise
    except StorageUnavailable as error:
        place = shown(settings.database_url.reveal())
        server.refused = f"The database {place} cannot be opened: {error.why.rstrip('.')}."
        raise


def _read_keys(server: Server, database: Database) -> None:
    keys = _signing_keys(server, database)
    server.tokens, server.cipher = JwtWorkerTokens(keys, system_clock), AesGcmCipher(keys)
    server.callers = Callers(database.keys, server.tokens, server.settings.worker_api_key)


def _signing_keys(server: Server, database: Database) -> SigningKeys:
    try:
        return signing_keys(server.settings.key_file, database.key_file)
    except KeyFileRefused as error:
        server.refused = str(error)
        raise


async def _start(server: Server, stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run something beside the requests until the stack is left; when it ends by itself, the server is told."""
    task = asyncio.create_task(work, name=name)

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.critical("a part that must not end has ended", part=name, exc_info=error)
            server.failed = True
            server.recovered.set()
            server.shut(CloseReason.ERROR)
            server.fatal(error)

    async def stop() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task

    task.add_done_callback(ended)
    stack.push_async_callback(stop)


def _log_fatal(error: BaseException) -> None:
    _log.critical("the server cannot go on", error=repr(error))
