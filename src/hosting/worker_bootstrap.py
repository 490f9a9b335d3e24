"""A worker of our own, put together: the runtime of a server on the doors of another one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from events.catalog import Catalog
from events.event import Event
from events.ids import IdSource
from events.serializer import Serializer
from hosting.adapters.models.care import AsksProviders
from hosting.adapters.remote.event_store import RemoteEventStore
from hosting.adapters.remote.held import HeldRuns
from hosting.adapters.remote.leases import RemoteLeases
from hosting.adapters.remote.no_definitions import NoDefinitions
from hosting.adapters.remote.run_reads import RemoteLog, RemoteRunReads
from hosting.adapters.remote.vault import RemoteVault
from hosting.adapters.remote.watch import RemoteWatch
from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.care import care_of
from hosting.client import (
    AnswerLost,
    AnswerUnreadable,
    ClientError,
    Problem,
    ServerUnreachable,
    WorkerApi,
    WorkerRegistered,
)
from hosting.dispatch.dispatcher import Dispatcher
from hosting.domain.errors import StorageUnavailable
from hosting.domain.lease import Holder
from hosting.domain.scope import NodeId, TenantId
from hosting.domain.wire_errors import ServerAway, ServerRefused, ShutOut
from hosting.ports.agents import Agent
from hosting.ports.clock import system_clock
from hosting.ports.store import TenantReads
from hosting.runtime.agents import Agents, Registered
from hosting.runtime.core import Runtime
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.execute import Executor
from hosting.runtime.rings import Rings
from hosting.runtime.wakes import Wakes
from hosting.runtime.watch import watch_interactions
from hosting.runtime.workshop import Workshop
from hosting.runtime.writer import Writer
from hosting.settings import Settings

_log = structlog.get_logger("branchline.worker")

_SERVER_FAULT: Final = 500
_NOT_KNOWN: Final = 401
_TOO_MANY: Final = 429
_LASTING: Final = frozenset({"no-sealing-key", "credential-unreadable"})
"""What is wrong with a server until somebody does something about it."""
_HEARTBEATS_SURE: Final = 3
"""How many heartbeats apart a lease is that the dispatcher keeps, which renews at a third; the server's is longer."""
_ATTEMPTS: Final = 1_000_000
"""The server counts those of workers, and gives a run up."""
_MOST_SHARDS: Final = 32
_LAST_SECONDS: Final = 1.0
"""How long a worker that is hurried may take to give back what it has."""


class HttpWire:
    """The door Wire over HTTP; a server that is away is told of once, and once when it is back."""

    def __init__(self, api: WorkerApi) -> None:
        self._api = api
        self._is_away = False
        self.shut_out = asyncio.Event()
        """Set when the server lets this worker in no more: the key that it came with opens nothing."""

    @property
    def worker_id(self) -> str:
        """See Wire.worker_id."""
        return self._api.worker_id

    async def register(self) -> None:
        """See Wire.register."""
        await self.registered()

    async def registered(self) -> WorkerRegistered:
        """Register, and return what the server says to that; raises as all of Wire do."""
        try:
            return await self._api.register()
        except ClientError as error:
            raise self._meant(error) from error

    async def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """See Wire.call."""
        try:
            answer = await self._api.call(method, path, body)
        except ClientError as error:
            raise self._meant(error) from error
        self._is_back()
        return answer

    async def lines(self, path: str) -> AsyncGenerator[bytes]:
        """See Wire.lines."""
        try:
            async for line in self._api.lines(path):
                yield line
        except ClientError as error:
            raise self._meant(error) from error

    def _meant(self, error: ClientError) -> ServerAway | ServerRefused:
        if isinstance(error, Problem) and error.status == _NOT_KNOWN and self.worker_id:
            # Not a refusal of what was asked: what is under way ends with the worker.
            self.shut_out.set()
            return ServerAway(error.detail)
        if isinstance(error, Problem) and _is_final(error):
            return ServerRefused(error.status, error.code, error.detail)
        if not isinstance(error, Problem | ServerUnreachable | AnswerLost | AnswerUnreadable):
            return ServerRefused(400, "client-error", str(error))
        if not self._is_away:
            self._is_away = True
            _log.warning("the server is away", why=str(error))
        return ServerAway(str(error))

    def _is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            _log.info("the server is back")


@dataclass(slots=True)
class OwnWorker:
    """A worker with its agents; `run` does their work until `stop` is set.

    `ready` is called with what the server has registered it as, and `leaving` when it was told to stop, with how many
    runs go on and for how many seconds at most. `hurry` makes that short: what has not ended is given back at once.
    """

    api: WorkerApi
    agents: Mapping[str, Agent]
    settings: Settings
    poll_seconds: float
    ready: Callable[[WorkerRegistered], None]
    leaving: Callable[[int, float], None]
    events: Iterable[type[Event]] = ()
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until told to stop; then give what is under way the grace, and back what has not ended.

        Raises:
            ServerRefused: the server does not register it.
            ShutOut: it has been working, and its key opens nothing any more.
        """
        wire = HttpWire(self.api)
        registered = await self._registered(wire)
        if registered is None:
            return
        self.ready(registered)
        async with asyncio.TaskGroup() as tasks:
            await self._work(wire, registered, tasks)
        if wire.shut_out.is_set():
            raise ShutOut
        with suppress(ServerAway, ServerRefused):
            await wire.call("DELETE", f"/api/workers/{wire.worker_id}")

    async def _registered(self, wire: HttpWire) -> WorkerRegistered | None:
        """Register, as soon as the server is there; None when told to stop before."""
        while not self.stop.is_set():
            try:
                return await wire.registered()
            except ServerAway:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), self.poll_seconds)
        return None

    async def _work(self, wire: HttpWire, registered: WorkerRegistered, tasks: asyncio.TaskGroup) -> None:
        every = registered.heartbeat_interval / 1000
        holder = Holder(NodeId(registered.worker_id), every * _HEARTBEATS_SURE)
        held = HeldRuns()
        watch = RemoteWatch(wire, held)
        agents = self._agents()
        leases = RemoteLeases(wire, held, watch, agents.engage)
        runtime = self._runtime(wire, held, holder, agents.agents)
        executor = Executor(runtime, _ATTEMPTS)
        dispatcher = Dispatcher(executor, leases, holder, runtime.runs, sweep_seconds=self.poll_seconds)
        parts = {
            "writer": runtime.writer.run(),
            "dispatcher": dispatcher.run(asyncio.Event()),
            "watch": watch_interactions(runtime, watch, every_seconds=self.settings.sweep_seconds),
            "heartbeat": _beat(leases, every),
        }
        running = [tasks.create_task(part, name=name) for name, part in parts.items()]
        await _first_of(self.stop, wire.shut_out)
        leases.leaving = True
        if not wire.shut_out.is_set():
            await self._finish(dispatcher, wire, held)
        for task in running:
            task.cancel()

    async def _finish(self, dispatcher: Dispatcher, wire: HttpWire, held: HeldRuns) -> None:
        """Let runs end, for as long as the grace is, and give back the others; a second signal makes that short."""
        finishing = asyncio.ensure_future(dispatcher.finish(self.settings.grace_seconds))
        hurried = asyncio.ensure_future(_first_of(self.hurry, wire.shut_out))
        try:
            self.leaving(len(held), self.settings.grace_seconds)
            await asyncio.wait([finishing, hurried], return_when=asyncio.FIRST_COMPLETED)
            if not finishing.done():
                finishing.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0 if wire.shut_out.is_set() else _LAST_SECONDS):
                        await dispatcher.finish(0)
        finally:
            hurried.cancel()
        if finishing.done() and not finishing.cancelled():
            finishing.result()

    def _agents(self) -> "_Engaged":
        care = care_of(self.settings)
        for agent in self.agents.values():
            if isinstance(agent, AsksProviders):
                agent.ask_with(care)
        registered = {agent_id: Registered(agent.name, agent) for agent_id, agent in self.agents.items()}
        nothing = NoDefinitions()
        return _Engaged(Agents(registered, None, DefinedAgents(lambda tenant: nothing, Workshop())))

    def _runtime(self, wire: HttpWire, held: HeldRuns, holder: Holder, agents: Agents) -> Runtime:
        catalog, rings = Catalog.standard(), Rings()
        for event in self.events:
            catalog.register(event)
        return Runtime(
            agents=agents,
            serializer=Serializer(catalog),
            ids=IdSource(),
            clock=system_clock,
            # A session whose server does not answer must not hold up the others.
            writer=Writer(RemoteEventStore(wire, held), rings, shards=_MOST_SHARDS),
            rings=rings,
            log=RemoteLog(wire, held),
            run_reads=RemoteRunReads(wire, held),
            tenant=_no_tenant,
            stragglers=set(),
            holder=holder,
            wakes=Wakes(),
            # What waits behind a run is offered by the server.
            run_accepted=lambda lease: None,
            # What is secret comes from the server opened.
            cipher=AesGcmCipher(dict),
            vault=RemoteVault(wire, held, self.settings.credentials_environment),
        )


def _is_final(problem: Problem) -> bool:
    """Say whether a server that is asked again says the same."""
    return problem.code in _LASTING or (problem.status < _SERVER_FAULT and problem.status != _TOO_MANY)


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


class _Engaged:
    """The agents here, which answer for what the server calls by an id of its own."""

    def __init__(self, agents: Agents) -> None:
        self.agents = agents

    def engage(self, agent_id: str, name: str) -> bool:
        """Say whether there is an agent for this id, or else for this name, and let it answer under the id."""
        known = self.agents.registered()
        found = next((each for each in (agent_id, name) if each in known), None)
        found = found or next((each for each, agent in known.items() if agent.name == name), None)
        if found is not None:
            self.agents.answer_as(agent_id, found)
        return found is not None


async def _beat(leases: RemoteLeases, every_seconds: float) -> None:
    """Show that a worker is there which has nothing to renew; renewing shows it as well."""
    while True:
        await asyncio.sleep(every_seconds)
        with suppress(StorageUnavailable):
            await leases.beat_within(every_seconds)


def _no_tenant(tenant: TenantId) -> TenantReads:
    raise TypeError("A worker reads of its runs alone, not of tenants.")
