"""What this server does when another one on its store tells it that there is something to look at."""

import asyncio
from collections.abc import Callable, Collection

import structlog

from events.ids import RunId
from hosting.domain.errors import StorageUnavailable
from hosting.domain.scope import BranchKey
from hosting.ports.hints import Hint
from hosting.ports.store import TailReader, Watch
from hosting.runtime.rings import Rings
from hosting.runtime.tops import compare_tops
from hosting.runtime.wakes import Wakes

_log = structlog.get_logger("branchline.hints")


class Hearing:
    """Looks at the rows that hints are about, of what is followed, awaited or held here; all else costs nothing.

    While it looks, what it hears next is gathered. `look_for_runs` looks for runs that nobody holds.
    """

    def __init__(
        self, rings: Rings, wakes: Wakes, log: TailReader, watch: Watch, look_for_runs: Callable[[], None]
    ) -> None:
        self._rings = rings
        self._wakes = wakes
        self._log = log
        self._watch = watch
        self._look_for_runs = look_for_runs
        self._moved: dict[BranchKey, int] = {}
        self._interrupted: set[RunId] = set()
        self._missed = False
        self._work = asyncio.Event()

    def hear(self, hint: Hint | None) -> None:
        """Take a hint, or None for all those that were missed."""
        if hint is None:
            self._missed = True
            self._work.set()
            return
        self._hear_of_branches(hint)
        for request_id in hint.settled:
            self._wakes.wake(request_id)
        held = self._wakes.held_among(hint.interrupted)
        if held:
            self._interrupted.update(held)
            self._work.set()
        if hint.unowned:
            self._look_for_runs()

    async def run(self) -> None:
        """Look until cancelled; what cannot be looked at now is seen by those who look now and then."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._look()
            except StorageUnavailable as error:
                _log.warning("cannot look after a hint", why=error.why)

    def _hear_of_branches(self, hint: Hint) -> None:
        for branch, head in hint.moved.items():
            if self._rings.is_behind(branch, head):
                self._moved[branch] = max(head, self._moved.get(branch, 0))
                self._work.set()
        for branch in hint.gone:
            self._rings.gone(branch)

    async def _look(self) -> None:
        moved, self._moved = self._moved, {}
        interrupted, self._interrupted = self._interrupted, set()
        missed, self._missed = self._missed, False
        if missed:
            interrupted.update(self._wakes.held())
            await self._look_at_all()
        if interrupted:
            await self._look_at_interrupts(interrupted)
        if moved:
            await self._fill(moved)

    async def _look_at_all(self) -> None:
        self._look_for_runs()
        await compare_tops(self._rings, self._log)
        for request_id in await self._watch.settled_among(self._wakes.awaited()):
            self._wakes.wake(request_id)

    async def _look_at_interrupts(self, runs: Collection[RunId]) -> None:
        for interrupt in await self._watch.interrupts(runs):
            self._wakes.interrupted(interrupt)

    async def _fill(self, moved: dict[BranchKey, int]) -> None:
        """Read once what all readers here are to be shown; who would have to be shown too much reads for itself."""
        heads = self._rings.heads_of(moved)
        for branch, tail in (await self._log.tails(heads)).items():
            self._rings.fill(branch, tail)
        behind = [branch for branch, head in moved.items() if self._rings.is_behind(branch, head)]
        if behind:
            # Asked for, not taken from the hint: a head that the store does not know would look like a damaged log.
            for branch, head in (await self._log.heads(behind)).items():
                self._rings.advance(branch, head)
