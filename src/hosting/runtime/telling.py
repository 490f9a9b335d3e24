"""What this server has to tell the others on its store, gathered while the last hint is on its way."""

import asyncio
from typing import Final

from events.ids import RunId
from hosting.domain.scope import BranchKey
from hosting.ports.hints import Hint, HintChannel

_BETWEEN_SECONDS: Final = 0.01
"""At most a hundred hints a second: each costs every server a little, however many branches it tells of."""
_LONGEST_ID: Final = 100


class Telling:
    """Gathers news and sends it; telling costs next to nothing, waits for nobody and cannot fail.

    Without a channel, and while nobody else is there, nothing is gathered.
    """

    def __init__(self, channel: HintChannel | None = None) -> None:
        self._channel = channel
        self._moved: dict[BranchKey, int] = {}
        self._gone: dict[BranchKey, None] = {}
        self._settled: dict[str, None] = {}
        self._interrupted: dict[RunId, None] = {}
        self._unowned = False
        self._work = asyncio.Event()

    def moved(self, branch: BranchKey, head: int) -> None:
        """Tell that a log reaches to `head`."""
        if self._is_heard():
            self._moved[branch] = head

    def gone(self, branch: BranchKey) -> None:
        """Tell that a branch was deleted."""
        if self._is_heard():
            self._gone[branch] = None

    def settled(self, request_id: str) -> None:
        """Tell that a question is open no more."""
        # A client tool's id can be as long as its agent likes; the row is looked at all the same, a little later.
        if len(request_id) <= _LONGEST_ID and self._is_heard():
            self._settled[request_id] = None

    def interrupted(self, run_id: RunId) -> None:
        """Tell that somebody wishes the end of a run, or of something in it."""
        if self._is_heard():
            self._interrupted[run_id] = None

    def unowned(self) -> None:
        """Tell that there are runs which nobody holds."""
        if self._is_heard():
            self._unowned = True

    async def run(self) -> None:
        """Send what is gathered, at once when nothing was sent just now; runs until cancelled."""
        channel = self._channel
        while channel is not None:
            await self._work.wait()
            await channel.tell(self._take())
            await asyncio.sleep(_BETWEEN_SECONDS)

    def _is_heard(self) -> bool:
        if self._channel is None or not self._channel.is_heard:
            return False
        self._work.set()
        return True

    def _take(self) -> Hint:
        hint = Hint(self._moved, tuple(self._gone), tuple(self._settled), tuple(self._interrupted), self._unowned)
        self._moved, self._gone, self._settled, self._interrupted = {}, {}, {}, {}
        self._unowned = False
        self._work.clear()
        return hint
