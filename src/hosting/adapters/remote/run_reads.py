"""What a worker reads of the past of its runs, at its server."""

from collections.abc import AsyncGenerator, Collection
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Raw, Struct

from events.ids import RunId
from hosting.adapters.remote.held import Held, HeldRuns, patiently
from hosting.domain.errors import LeaseLost
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.message import Message
from hosting.domain.remote_run import KnownMessage, KnownPast, KnownQuestion
from hosting.domain.scope import BranchKey, BranchScope
from hosting.domain.step import Step
from hosting.ports.store import LogPage
from hosting.ports.wire import Wire

T = TypeVar("T")

_PAGE = 500


class _History(Struct):
    messages: list[KnownMessage]


class _State(Struct):
    values: dict[str, Raw]


class _Question(Struct, rename="camel"):
    was_asked: bool
    settled: KnownQuestion | None


class RemoteRunReads:
    """See the door, RunReads; all of it raises LeaseLost when the run is not held any more."""

    def __init__(self, wire: Wire, held: HeldRuns) -> None:
        self._wire = wire
        self._held = held

    async def messages(self, branch: BranchKey) -> list[Message]:
        """See RunReads.messages."""
        history = await self._get(self._on(branch), "history", _History)
        return [each.message for each in history.messages]

    async def open_messages(self, run_id: RunId) -> list[Message]:
        """See RunReads.open_messages."""
        return [each.message for each in (await self._past(run_id)).open_messages]

    async def steps(self, run_id: RunId) -> list[Step]:
        """See RunReads.steps."""
        return [each.step for each in (await self._past(run_id)).steps]

    async def interactions(self, run_id: RunId) -> list[Interaction]:
        """See RunReads.interactions."""
        held, past = self._held.of_run(run_id), await self._past(run_id)
        asked = [each.interaction(held.lease.run) for each in past.questions]
        held.questions |= {each.id for each in asked if each.state is InteractionState.OPEN}
        return asked

    async def was_asked(self, branch: BranchKey, request_id: str) -> bool:
        """See RunReads.was_asked."""
        return (await self._question(self._on(branch), request_id)).was_asked

    async def settled(self, branch: BranchKey, request_id: str) -> Interaction | None:
        """See RunReads.settled."""
        held = self._on(branch)
        settled = (await self._question(held, request_id)).settled
        if settled is None:
            return None
        held.questions.discard(request_id)
        return settled.interaction(held.lease.run)

    async def state(
        self, branch: BranchKey, scope: BranchScope, names: Collection[str], *, of_branch: bool
    ) -> dict[str, bytes]:
        """See RunReads.state."""
        if not names:
            return {}
        wanted = [("scope", "branch" if of_branch else "session"), *(("name", name) for name in sorted(names))]
        kept = await self._get(self._on(branch), "state", _State, wanted)
        return {name: bytes(value) for name, value in kept.values.items()}

    async def _past(self, run_id: RunId) -> KnownPast:
        held = self._held.of_run(run_id)
        if held.past is None:
            # Read in one piece: its parts must fit together.
            held.past = await self._get(held, "past", KnownPast)
        return held.past

    async def _question(self, held: Held, request_id: str) -> _Question:
        return await self._get(held, f"questions/{quote(request_id, safe='')}", _Question)

    def _on(self, branch: BranchKey) -> Held:
        return on_branch(self._held, branch)

    async def _get(self, held: Held, what: str, wanted: type[T], query: list[tuple[str, str]] | None = None) -> T:
        asked = urlencode([("worker", self._wire.worker_id), *(query or ())])
        path = f"{held.path}/{what}?{asked}"
        return msgspec.json.decode(await patiently(held, lambda: self._wire.call("GET", path)), type=wanted)


class RemoteLog:
    """See the door, LogReader; a worker reads of the log what its runs have written, and nothing else."""

    def __init__(self, wire: Wire, held: HeldRuns) -> None:
        self._wire = wire
        self._held = held

    async def run_pages(self, branch: BranchKey, run_id: RunId) -> AsyncGenerator[LogPage]:
        """See LogReader.run_pages."""
        held = self._held.of_run(run_id)
        path = f"{held.path}/log?{urlencode({'worker': self._wire.worker_id})}"

        async def read() -> list[bytes]:
            return [line async for line in self._wire.lines(path)]

        lines = await patiently(held, read)
        for first in range(0, len(lines), _PAGE):
            yield LogPage(first, lines[first : first + _PAGE])

    async def pages(self, branch: BranchKey, after: int, upto: int | None = None) -> AsyncGenerator[LogPage]:
        """Yield nothing: nobody follows a log at a worker."""
        nothing: tuple[LogPage, ...] = ()
        for page in nothing:
            yield page

    async def head(self, branch: BranchKey) -> int | None:
        """See LogReader.head; None, as for `pages`."""
        return None

    async def heads(self, branches: Collection[BranchKey]) -> dict[BranchKey, int]:
        """See LogReader.heads; nothing, as for `pages`."""
        return {}

    async def trimmed(self, branch: BranchKey) -> int | None:
        """See LogReader.trimmed; None, as for `pages`."""
        return None


def on_branch(held: HeldRuns, branch: BranchKey) -> Held:
    """Return the run of a branch.

    Raises:
        LeaseLost: none is held.
    """
    found = held.on(branch)
    if found is None:
        raise LeaseLost(RunId("that was there"))
    return found
