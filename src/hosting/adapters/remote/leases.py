"""How a worker comes by runs, keeps them and gives them back."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection
from math import inf
from typing import Any, Final
from urllib.parse import quote

import msgspec
import structlog
from msgspec import Struct

from events.ids import RunId
from hosting.adapters.remote.held import NOT_OURS, Held, HeldRuns, patiently
from hosting.adapters.remote.watch import RemoteWatch
from hosting.domain.errors import LeaseLost, StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.remote_run import TakenRun
from hosting.domain.scope import NodeId
from hosting.domain.wire_errors import ServerAway, ServerRefused
from hosting.ports.wire import Wire

_log = structlog.get_logger("branchline.worker")

_UNKNOWN_WORKER: Final = "worker-not-found"
_MOST_BEGUN: Final = 10
_MOST_REMEMBERED: Final = 1000
_KILL: Final = "session.kill"
_NOT_KNOWN: Final = "Not known here."
_BROKEN: Final = "The run broke off at its worker, time and again; the worker's log says why."
_taken = msgspec.json.Decoder(TakenRun).decode

Engage = Callable[[str, str], bool]
"""Says whether there is an agent here for this id and name, which answers under the id from now on."""


class _Work(Struct, rename="camel"):
    session_id: str


class _Mutation(Struct, rename="camel"):
    id: str
    op: str
    params: dict[str, Any]


class _Heard(Struct, rename="camel"):
    pending_mutations: list[_Mutation] = []


class _Polled(Struct, rename="camel"):
    work: list[_Work]


class RemoteLeases:
    """See the door, Leases; what a poll brings is this worker's already, and is taken at once."""

    def __init__(self, wire: Wire, held: HeldRuns, watch: RemoteWatch, engage: Engage) -> None:
        self._wire = wire
        self._held = held
        self._watch = watch
        self._engage = engage
        self._untaken: set[str] = set()
        self._taken: dict[RunId, Lease] = {}
        self._left: set[RunId] = set()
        self._begun: Counter[str] = Counter()
        self.leaving = False
        """Whether this worker stops, and gives back what it has."""
        self._is_unsure = False
        self._asked: list[_Mutation] = []
        self._had: deque[str] = deque(maxlen=_MOST_REMEMBERED)
        self._beaten_at = -inf

    async def unowned(self, limit: int) -> list[RunId]:
        """See Leases.unowned: poll, and return the runs that this has brought."""
        try:
            await self._poll()
            for session_id in sorted(self._untaken):
                await self._take(session_id)
        except (ServerAway, StorageUnavailable):
            # The poll may have brought something all the same, which nobody here knows of.
            self._is_unsure = True
        except ServerRefused as refused:
            if refused.problem != _UNKNOWN_WORKER:
                raise StorageUnavailable(str(refused)) from refused
            _log.warning("the server does not know this worker any more; it registers again")
            await self._register()
        return list(self._taken)

    async def claim(self, wanted: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
        """See Leases.claim."""
        return [self._taken.pop(run_id) for run_id in wanted if run_id in self._taken]

    async def renew(self, held: Collection[RunId], node: NodeId, seconds: float) -> set[RunId]:
        """See Leases.renew; what this worker has and does not work on any more is taken again."""
        await self.beat(len(held))
        claims = {one.session_id: one.claim for one in self._held}
        seen = await self._watch.look()
        for one in self._held:
            if one.session_id in seen.lost and one.claim == claims.get(one.session_id):
                self._held.lose(one)
        left = {one.lease.run.id for one in self._held} - set(held) - self._taken.keys()
        for run_id in left & self._left:
            await self._take_again(run_id)
        self._left = left
        known = self._untaken | {one.session_id for one in self._held}
        self._begun = Counter({session: times for session, times in self._begun.items() if session in known})
        lost = self._held.gone.intersection(held)
        self._held.gone.clear()
        return lost

    async def release(self, held: Collection[RunId], node: NodeId) -> None:
        """See Leases.release; while this worker goes on, it keeps what could not go on, and begins it anew."""
        for run_id in held:
            self._taken.pop(run_id, None)
            one = self._held.get(run_id)
            if one is not None and self.leaving:
                await self._give_back(one, "The worker stops.")
            elif one is not None:
                await self._take_again(run_id)

    async def expire_all(self) -> None:
        """Do nothing: the leases of workers are the server's to end."""

    async def beat(self, active: int) -> None:
        """Show that this worker is there, which prolongs all its leases."""
        asked_at = asyncio.get_running_loop().time()
        said = {"activeCount": active, "status": "busy" if active else "idle", **self._told()}
        path = f"/api/workers/{self._wire.worker_id}/heartbeat"
        try:
            answer = await self._wire.call("POST", path, msgspec.json.encode(said))
        except ServerAway as away:
            raise StorageUnavailable(away.why) from away
        except ServerRefused as refused:
            # The next poll finds out what to do about it.
            raise StorageUnavailable(str(refused)) from refused
        self._beaten_at = asked_at
        self._held.renewed(asked_at)
        self._asked = msgspec.json.decode(answer, type=_Heard).pending_mutations

    async def beat_within(self, seconds: float) -> None:
        """Show it, unless the last time is not so long ago; raises as `beat` does."""
        if asyncio.get_running_loop().time() - self._beaten_at >= seconds:
            await self.beat(len(self._held))

    def _told(self) -> dict[str, Any]:
        """Say what became of what an operator wants: a session is killed by the interrupt that has come with it."""
        held = {one.session_id for one in self._held} | self._untaken
        ours = [each for each in self._asked if each.op == _KILL and each.params.get("sessionId") in self._had]
        return {
            "appliedMutations": [each.id for each in ours if each.params["sessionId"] not in held],
            "mutationFailures": [{"id": each.id, "error": _NOT_KNOWN} for each in self._asked if each not in ours],
        }

    async def _poll(self) -> None:
        if self._is_unsure:
            seen = await self._watch.look()
            known = {held.session_id for held in self._held}
            self._untaken |= set(seen.held) - known
            self._is_unsure = False
        answer = await self._wire.call("GET", f"/api/workers/{self._wire.worker_id}/poll")
        self._untaken |= {work.session_id for work in msgspec.json.decode(answer, type=_Polled).work}

    async def _take(self, session_id: str) -> None:
        asked_at = asyncio.get_running_loop().time()
        path, body = f"/api/sessions/{quote(session_id, safe='')}", {"workerId": self._wire.worker_id}
        try:
            taken = _taken(await self._wire.call("POST", f"{path}/take", msgspec.json.encode(body)))
        except ServerRefused as refused:
            if refused.status not in NOT_OURS:
                raise
            self._untaken.discard(session_id)
            return
        self._untaken.discard(session_id)
        self._begun[session_id] += 1
        self._had.append(session_id)
        held = self._held.add(session_id, taken, NodeId(self._wire.worker_id), asked_at)
        if self._engage(taken.agent_id, taken.agent_name):
            self._taken[taken.run_id] = held.lease
        else:
            _log.warning("there is no such agent here", agent=taken.agent_id, name=taken.agent_name)
            await self._give_back(held, f"There is no agent {taken.agent_id!r} at this worker.")

    async def _take_again(self, run_id: RunId) -> None:
        """Begin a run again that broke off here, unless it does so time and again."""
        held = self._held.of_run(run_id)
        self._held.drop(run_id)
        if self._begun[held.session_id] < _MOST_BEGUN:
            self._untaken.add(held.session_id)
            return
        _log.error("a run broke off too often here; it fails", run=run_id, times=self._begun[held.session_id])
        said = {"workerId": self._wire.worker_id, "status": "failed", "error": {"message": _BROKEN}}
        await self._tell(held, "status", said)

    async def _give_back(self, held: Held, reason: str) -> None:
        self._held.drop(held.lease.run.id)
        await self._tell(held, "nack", {"workerId": self._wire.worker_id, "reason": reason})

    async def _tell(self, held: Held, verb: str, said: dict[str, Any]) -> None:
        body = msgspec.json.encode(said)
        try:
            await patiently(held, lambda: self._wire.call("POST", f"{held.path}/{verb}", body))
        except (LeaseLost, ServerRefused) as error:
            # Its lease ends by itself.
            _log.warning("the server was not told of a run", run=held.lease.run.id, verb=verb, why=str(error))

    async def _register(self) -> None:
        for held in self._held:
            self._held.lose(held)
        self._taken.clear()
        self._untaken.clear()
        try:
            await self._wire.register()
        except (ServerAway, ServerRefused) as error:
            raise StorageUnavailable(str(error)) from error
