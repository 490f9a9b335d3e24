"""The runs that a worker has, and how sure it can be of that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final, TypeVar
from urllib.parse import quote

import structlog

from events.ids import RunId
from hosting.domain.errors import LeaseLost
from hosting.domain.lease import Lease
from hosting.domain.remote_run import KnownPast, TakenRun
from hosting.domain.scope import BranchKey, NodeId
from hosting.domain.secret import Secret
from hosting.domain.wire_errors import ServerAway, ServerRefused

T = TypeVar("T")

_log = structlog.get_logger("branchline.worker")

NOT_OURS: Final = frozenset((403, 404, 409))
"""The statuses that say that a session is not, or not any more, this worker's."""
_ENDED: Final = 409
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class KnownEnvironment:
    """The environment map of a run as the server has said it, and until which time of the loop's it is good."""

    env: Mapping[str, Secret] = field(repr=False)
    good_until: float


@dataclass(slots=True)
class Held:
    """A run that this worker has; `sure_until` is a time of the loop's, until which nobody else can have it.

    `batch` is the number of the last batch that is stored, `questions` those that were asked and not settled.
    """

    session_id: str
    claim: int
    lease: Lease
    lease_seconds: float
    sure_until: float
    batch: int
    questions: set[str] = field(default_factory=set)
    past: KnownPast | None = None
    environment: KnownEnvironment | None = None

    @property
    def path(self) -> str:
        """Where the server has it."""
        return f"/api/sessions/{quote(self.session_id, safe='')}"


class HeldRuns:
    """Finds them by run and by branch; a branch has a key of this worker's own, since that of the store stays there."""

    def __init__(self) -> None:
        self._by_run: dict[RunId, Held] = {}
        self._by_branch: dict[BranchKey, Held] = {}
        self._keys = count(1)
        self.gone: set[RunId] = set()
        """Those that were lost, until whoever works on them has been told."""

    def __len__(self) -> int:
        return len(self._by_run)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._by_run.values()))

    def add(self, session_id: str, taken: TakenRun, node: NodeId, asked_at: float) -> Held:
        """Hold a run that was taken, by an answer to what was asked at this time of the loop's."""
        lease = taken.lease(BranchKey(next(self._keys)), node)
        sure_until = asked_at + taken.lease_seconds
        held = Held(session_id, taken.claim, lease, taken.lease_seconds, sure_until, taken.batch)
        self.drop(lease.run.id)
        self._by_run[lease.run.id] = self._by_branch[lease.run.branch_key] = held
        return held

    def drop(self, run_id: RunId) -> None:
        """Hold a run no more."""
        held = self._by_run.pop(run_id, None)
        if held is not None:
            self._by_branch.pop(held.lease.run.branch_key, None)

    def lose(self, held: Held) -> None:
        """Hold a run no more that others may have; nothing that is still said of it is written."""
        if self._by_run.get(held.lease.run.id) is held:
            self.drop(held.lease.run.id)
            self.gone.add(held.lease.run.id)

    def get(self, run_id: RunId) -> Held | None:
        """Return a run, if it is held."""
        return self._by_run.get(run_id)

    def of_run(self, run_id: RunId) -> Held:
        """Return a run.

        Raises:
            LeaseLost: it is not held.
        """
        held = self._by_run.get(run_id)
        if held is None:
            raise LeaseLost(run_id)
        return held

    def on(self, branch: BranchKey) -> Held | None:
        """Return the run of a branch, if one is held."""
        return self._by_branch.get(branch)

    def renewed(self, asked_at: float) -> None:
        """Know that a heartbeat which was sent at this time of the loop's has reached the server."""
        for held in self:
            held.sure_until = max(held.sure_until, asked_at + held.lease_seconds)


async def patiently(held: Held, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the server something about a run, again and again while it is away, for as long as the run is surely held.

    Raises:
        LeaseLost: it is not held any more, or might not be.
        ServerRefused: the server says no for another reason.
    """
    loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE
    while True:
        try:
            async with asyncio.timeout_at(held.sure_until):
                return await ask()
        except ServerRefused as refused:
            if refused.status in NOT_OURS:
                # What the server has ended itself, as after an interrupt, is nothing to worry about.
                tell = _log.info if refused.status == _ENDED else _log.warning
                tell("a run is not ours any more", run=held.lease.run.id, why=str(refused))
                raise LeaseLost(held.lease.run.id) from refused
            raise
        except (ServerAway, TimeoutError) as error:
            if loop.time() + pause >= held.sure_until:
                raise LeaseLost(held.lease.run.id) from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
