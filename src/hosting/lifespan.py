"""The life of an application: its parts are put together, begin to run, and stop in the opposite order."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from random import Random
from time import monotonic
from typing import Any, Final

import structlog

from events.control import CloseReason
from events.ids import IdSource
from events.serializer import Serializer
from hosting.adapters.files.key_file import KeyFile, key_file
from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.adapters.sql.address import shown
from hosting.adapters.sql.database import Database, open_database
from hosting.adapters.tokens.worker_tokens import JwtWorkerTokens
from hosting.api.callers import Callers
from hosting.dispatch.dispatcher import Dispatcher
from hosting.domain.admission import KeyFileRefused
from hosting.domain.content import Room
from hosting.domain.errors import StorageRefused, StorageUnavailable
from hosting.domain.lease import Holder, Lease
from hosting.domain.media_types import MediaTypes
from hosting.domain.scope import NodeId
from hosting.ports.clock import system_clock
from hosting.runtime.agents import Agents
from hosting.runtime.core import Runtime
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.desks import Desks
from hosting.runtime.execute import Executor
from hosting.runtime.forget import watch_answers
from hosting.runtime.hearing import Hearing
from hosting.runtime.retention import watch_retention
from hosting.runtime.telling import Telling
from hosting.runtime.tops import watch_tops
from hosting.runtime.upkeep import watch_upkeep
from hosting.runtime.wakes import Wakes
from hosting.runtime.watch import watch_interactions
from hosting.runtime.writer import Writer
from hosting.server import Server, started
from hosting.services.content.core import Contents
from hosting.services.content.of_sessions import ContentsOfSessions
from hosting.services.content.sweep import watch_contents
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.lost_keys import tell_lost_keys
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
from hosting.services.routing.sampler import Sampler

_log = structlog.get_logger("branchline")

_SWITCH_INTERVAL: Final = 0.0005
_PRUNING_SECONDS: Final = 60.0
_LOOSE_SECONDS: Final = 10.0
_SILENT_SECONDS: Final = 600.0


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[None]:
    """Open the database, start what runs beside requests, and stop it again in the opposite order."""
    # The writer's thread must not wait 5 ms for its turn at the interpreter after each commit.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    settings = server.settings
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.roster.builder.close)
        server.database = database = await _open_database(server, stack)
        if database.exclusive:
            await database.leases.expire_all()
        await _read_keys(server, database)
        writer = Writer(database.events, server.rings, shards=database.writers, waiting=server.capacity.writes)
        await _start(server, stack, "writer", writer.run())
        server.sampler = _sampler(server, database)
        server.rings.telling = telling = Telling(database.hints)
        dispatcher = _dispatcher(server, database, writer, telling)
        await _start_hints(server, database, stack, telling)
        await _start(server, stack, "tops", watch_tops(server.rings, database.log, every_seconds=settings.tops_seconds))
        watching = watch_interactions(started(server.runtime), database.watch, every_seconds=settings.sweep_seconds)
        await _start(server, stack, "interactions", watching)
        await _start(server, stack, "upkeep", watch_upkeep(database.upkeep, every_seconds=settings.fold_seconds))
        await _start_credentials(server, database, stack)
        await _start_retention(server, database, stack)
        await _start_contents(server, database, stack)
        server.fleet = _fleet(server, database)
        server.router = _router(server, database)
        await _start_forgetting(server, database, stack)
        server.remote = RemoteRuns(server.fleet, database.watch)
        await _start(server, stack, "fleet", watch_fleet(server.fleet, every_seconds=settings.sweep_seconds))
        await _start(server, stack, "dispatcher", dispatcher.run(server.recovered))
        await server.recovered.wait()
        yield
        dispatcher.leave()


def _dispatcher(server: Server, database: Database, writer: Writer, telling: Telling) -> Dispatcher:
    """Put the runtime together, and what executes its runs."""
    settings = server.settings
    accepted: list[Callable[[Lease], None]] = []
    holder = Holder(NodeId(uuid.uuid4().hex), settings.lease_seconds)
    # Filled below: the runtime and the dispatcher each need the other.
    server.runtime = _runtime(server, database, writer, holder, lambda lease: accepted[0](lease))  # noqa: PLW0108
    server.dispatcher = dispatcher = Dispatcher(
        Executor(server.runtime, settings.run_attempts),
        database.leases,
        holder,
        server.runtime.runs,
        sweep_seconds=settings.sweep_seconds,
        tell_unowned=telling.unowned,
    )
    accepted.append(dispatcher.accepted)
    return dispatcher


async def _start_hints(server: Server, database: Database, stack: AsyncExitStack, telling: Telling) -> None:
    runtime, channel = started(server.runtime), database.hints
    if channel is None:
        return
    look = started(server.dispatcher).look
    hearing = Hearing(server.rings, runtime.wakes, database.log, database.watch, look)
    await _start(server, stack, "hints that are told", telling.run())
    await _start(server, stack, "hints that are heard", hearing.run())
    await _start(server, stack, "hints", channel.run(runtime.holder.node, hearing.hear))


async def _start_forgetting(server: Server, database: Database, stack: AsyncExitStack) -> None:
    routing = watch_routing(started(server.router), every_seconds=_PRUNING_SECONDS)
    await _start(server, stack, "routing", routing)
    answers = watch_answers(database.keyed, system_clock, every_seconds=_PRUNING_SECONDS)
    await _start(server, stack, "answers", answers)


async def _start_credentials(server: Server, database: Database, stack: AsyncExitStack) -> None:
    runtime, changes, audit = started(server.runtime), database.credential_changes, database.credential_audit
    trail, news = started(server.trail), News(changes)
    cipher = started(server.cipher)
    stores = database.credentials, database.sealed_configs, changes, audit
    server.credentials = Credentials(runtime, *stores, cipher, trail, news)
    # Left in the opposite order: once nobody writes any more, what waits is written.
    stack.push_async_callback(trail.flush)
    await _start(server, stack, "audit", trail.run())
    await _start(server, stack, "credentials", news.run(server.settings.sweep_seconds))


async def _start_retention(server: Server, database: Database, stack: AsyncExitStack) -> None:
    settings = server.settings
    if settings.retention_days:
        keep, every = timedelta(days=settings.retention_days), settings.retention_sweep_seconds
        trimming = watch_retention(database.retention, system_clock, keep=keep, every_seconds=every)
        await _start(server, stack, "retention", trimming)


async def _start_contents(server: Server, database: Database, stack: AsyncExitStack) -> None:
    settings, runtime = server.settings, started(server.runtime)
    server.contents = contents = Contents(
        database.contents,
        runtime.ids,
        runtime.clock,
        room=Room(settings.session_content_bytes, settings.tenant_content_bytes),
        largest_bytes=settings.upload_bytes,
        types=MediaTypes.parse(settings.upload_types),
        writing=asyncio.Semaphore(database.writers),
    )
    silent_seconds = max(_SILENT_SECONDS, 2 * settings.body_idle_seconds)
    sweeping = watch_contents(contents, silent_seconds, every_seconds=_LOOSE_SECONDS, is_alone=database.exclusive)
    await _start(server, stack, "contents", sweeping)


def _fleet(server: Server, database: Database) -> Fleet:
    runtime, settings = started(server.runtime), server.settings
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
        tokens=started(server.tokens),
        lanes=database.lanes,
        git=server.git,
        lease_seconds=settings.worker_lease_seconds,
        lane_seconds=settings.lane_lease_seconds,
        attempts=settings.worker_attempts,
    )


def _router(server: Server, database: Database) -> Router:
    agents = started(server.runtime).agents
    return Router(database.routing, started(server.sampler), agents, system_clock)


def _runtime(
    server: Server,
    database: Database,
    writer: Writer,
    holder: Holder,
    run_accepted: Callable[[Lease], None],
) -> Runtime:
    roster = server.roster
    cipher, ids = started(server.cipher), IdSource()
    server.trail = trail = Trail(database.credential_audit, system_clock, ids.audit_entry)
    defined = DefinedAgents(lambda tenant: database.definitions(tenant, cipher), roster.workshop)
    return Runtime(
        agents=Agents(roster.registered, roster.default, defined),
        serializer=Serializer(server.catalog),
        ids=ids,
        clock=system_clock,
        writer=writer,
        rings=server.rings,
        log=database.log,
        run_reads=database.runs,
        tenant=database.tenant,
        stragglers=server.stragglers,
        holder=holder,
        wakes=Wakes(server.rings.telling),
        run_accepted=run_accepted,
        cipher=cipher,
        client_endpoints=server.settings.client_endpoints,
        runs=server.capacity.runs,
        router=CandidateRouter(started(server.sampler)),
        contents=ContentsOfSessions(database.contents),
        vault=CredentialsOfRuns(database.credentials, cipher, server.settings.credentials_environment, trail),
    )


def _sampler(server: Server, database: Database) -> Sampler:
    settings = server.settings
    return Sampler(
        known=KnownPosteriors(database.routing, monotonic),
        chance=Random(),  # noqa: S311 - nothing is kept secret by it
        enabled=settings.routing_selector_enabled,
        exploration_rate=settings.routing_exploration_rate,
    )


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


async def _read_keys(server: Server, database: Database) -> None:
    file = _key_file(server, database)
    keys = dict if file is None else file.keys
    server.tokens = JwtWorkerTokens(keys, system_clock)
    server.cipher = AesGcmCipher(keys) if file is None else AesGcmCipher(keys, is_usable=file.is_usable)
    await tell_lost_keys(database.credentials, server.cipher)
    server.callers = Callers(database.keys, server.tokens, server.settings.worker_api_key)


def _key_file(server: Server, database: Database) -> KeyFile | None:
    try:
        return key_file(server.settings.key_file, database.key_file)
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
