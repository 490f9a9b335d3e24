"""The whole application, put together: the only code that names adapters."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from litestar import Litestar
from litestar.di import Provide

from events.catalog import Catalog
from events.control import CloseReason
from events.event import Event
from events.ids import IdSource
from events.serializer import Serializer
from hosting.adapters.agents.demo import DemoAgent
from hosting.adapters.sql.database import Database, open_database
from hosting.adapters.sql.sqlite_file import OnConnect
from hosting.api.caller import Caller, local_caller
from hosting.api.head import HeadAsGet
from hosting.api.live import LiveSettings
from hosting.api.openapi import documentation
from hosting.api.options import options_of
from hosting.api.origins import OriginGuard
from hosting.api.problems import HANDLERS
from hosting.api.readiness import Readiness
from hosting.api.routes import ROUTES
from hosting.dispatch.dispatcher import Dispatcher
from hosting.domain.errors import StorageRefused, StorageUnavailable
from hosting.domain.lease import Holder, Lease
from hosting.domain.scope import NodeId
from hosting.ports.agents import Agent
from hosting.ports.clock import system_clock
from hosting.runtime.agent_task import Stragglers
from hosting.runtime.agents import Agents
from hosting.runtime.core import Runtime
from hosting.runtime.execute import Executor
from hosting.runtime.rings import Rings
from hosting.runtime.tops import watch_tops
from hosting.runtime.wakes import Wakes
from hosting.runtime.watch import watch_interactions
from hosting.runtime.writer import Writer
from hosting.settings import Settings, SettingsRefused

_log = structlog.get_logger("branchline")

T = TypeVar("T")

_SWITCH_INTERVAL = 0.0005


@dataclass(slots=True)
class Server:
    """What stays the same for the life of an application, running or not.

    `fatal` is called when something that must not end has ended, and `failed` is set; the process should follow it.
    `refused` says why the application could not start; `stragglers` are agents that ignore that they were cancelled.
    """

    settings: Settings
    agents: Agents
    catalog: Catalog
    fatal: Callable[[BaseException], None]
    on_connect: OnConnect | None = None
    rings: Rings = field(default_factory=Rings)
    recovered: asyncio.Event = field(default_factory=asyncio.Event)
    runtime: Runtime | None = None
    database: Database | None = None
    dispatcher: Dispatcher | None = None
    stragglers: Stragglers = field(default_factory=set)
    refused: str = ""
    failed: bool = False

    def shut(self, reason: CloseReason) -> None:
        """Send the followers away; the first thing on the way out."""
        self.rings.shut(reason)

    async def finish_runs(self) -> None:
        """Begin no more runs, give those that are under way the grace, and give back what has not ended then."""
        if self.dispatcher is not None and not self.failed:
            await self.dispatcher.finish(self.settings.grace_seconds)

    def caller(self) -> Caller:
        """Return the hands of whoever asks."""
        return local_caller(_started(self.runtime))

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        await _started(self.database).ping()


def create_app(
    agents: Mapping[str, Agent] | None = None,
    *,
    settings: Settings | None = None,
    events: Iterable[type[Event]] = (),
    fatal: Callable[[BaseException], None] | None = None,
    on_connect: OnConnect | None = None,
) -> Litestar:
    """Build the application that `branchline serve` serves: the demo agent, the given agents and custom events.

    Raises:
        SettingsRefused: the default agent is none of the agents.
        CatalogError: a custom event cannot be registered.
    """
    chosen = settings or Settings()
    known: dict[str, Agent] = {"demo": DemoAgent(), **(agents or {})}
    default = known.get(chosen.default_agent) if chosen.default_agent else None
    if chosen.default_agent and default is None:
        raise SettingsRefused(f"The default agent {chosen.default_agent!r} is none of {', '.join(known)}.")
    catalog = Catalog.standard()
    for event in events:
        catalog.register(event)
    server = Server(chosen, Agents(known, default), catalog, fatal or _log_fatal, on_connect)
    return _litestar(server)


def server_of(app: Litestar) -> Server:
    """Return what `create_app` put the application together from."""
    server: Server = app.state.server
    return server


def _litestar(server: Server) -> Litestar:
    live = LiveSettings(heartbeat_seconds=server.settings.heartbeat_seconds)
    readiness = Readiness(server.recovered, server.rings, server.ping)
    app = Litestar(
        route_handlers=[*options_of(ROUTES), *ROUTES],
        lifespan=[lambda app: _running(server)],
        dependencies={
            "caller": Provide(server.caller, sync_to_thread=False),
            "readiness": Provide(lambda: readiness, sync_to_thread=False),
        },
        exception_handlers=dict(HANDLERS),
        openapi_config=documentation(),
        logging_config=None,
    )
    # The framework's own middleware does not see what its router refuses, and a browser hides an unmarked 404.
    app.asgi_handler = OriginGuard(HeadAsGet(app.asgi_handler), server.settings.origins, server.settings.host)
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
        server.database = database = await _open_database(server, stack)
        if database.exclusive:
            await database.leases.expire_all()
        writer = Writer(database.events, server.rings, shards=database.writers)
        await _start(server, stack, "writer", writer.run())
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
        await _start(server, stack, "dispatcher", dispatcher.run(server.recovered))
        await server.recovered.wait()
        yield
        dispatcher.leave()


def _runtime(
    server: Server, database: Database, writer: Writer, holder: Holder, run_accepted: Callable[[Lease], None]
) -> Runtime:
    return Runtime(
        agents=server.agents,
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
    )


def _started(part: T | None) -> T:
    if part is None:
        raise RuntimeError("The application has not started; enter its lifespan first.")
    return part


async def _open_database(server: Server, stack: AsyncExitStack) -> Database:
    settings = server.settings
    try:
        return await open_database(
            settings.database_url, stack, lease_seconds=settings.lease_seconds, on_connect=server.on_connect
        )
    except StorageRefused as error:
        server.refused = str(error)
        raise
    except StorageUnavailable as error:
        # Behind the last @ there is no password.
        place = settings.database_url.rpartition("@")[2]
        server.refused = f"The database {place} cannot be opened: {error.why.rstrip('.')}."
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
