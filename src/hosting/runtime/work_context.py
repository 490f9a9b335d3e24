"""What can be done inside of a run, or of a step in it, each thing once."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from events.branches import BranchCreated, BranchMiddlewareStateCommitted
from events.compaction import BranchHistoryCompacted, Compaction
from events.control import StreamClosing, StreamReset
from events.event import Event
from events.interactions import Request, Response
from events.queue import BranchQueueUpdated
from events.runs import BranchRunCompleted, BranchRunStarted
from hosting.domain.secret import Secret
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, FinishStep, KeepState
from hosting.runtime.bench import Bench
from hosting.runtime.contents import content_at
from hosting.runtime.credentials import credential_of
from hosting.runtime.steps import Steps
from middleware.clarification import clarify

T = TypeVar("T")
A = TypeVar("A", bound=Response)

_NOT_FOR_AGENTS = (
    BranchCreated,
    BranchHistoryCompacted,
    BranchMiddlewareStateCommitted,
    BranchQueueUpdated,
    BranchRunStarted,
    BranchRunCompleted,
    Compaction,
    StreamReset,
    StreamClosing,
    Request,
    Response,
)


class WorkContext:
    """See the doors ToolContext and RunContext."""

    def __init__(self, bench: Bench, steps: Steps, *, call_id: str | None = None, is_permitted: bool = False) -> None:
        self._bench = bench
        self._steps = steps
        self._call_id = call_id
        self._is_permitted = is_permitted

    @property
    def call_id(self) -> str | None:
        """See ToolContext.call_id."""
        return self._call_id

    @property
    def is_permitted(self) -> bool:
        """See ToolContext.is_permitted."""
        return self._is_permitted

    async def emit(self, event: Event) -> None:
        """See RunContext.emit."""
        if isinstance(event, _NOT_FOR_AGENTS):
            raise TypeError(f"{type(event).__name__} is the runtime's to emit, not an agent's.")
        for reply in self._bench.hand.replies:
            # What was said before is told before.
            reply.flush()
        await self._bench.hand.emit(event)

    def new_request_id(self) -> str:
        """See RunContext.new_request_id."""
        return self._bench.runtime.ids.request()

    async def ask(self, request: Request, answer: type[A], *, within: timedelta | None) -> A:
        """See Asker.ask."""
        return await self._bench.questions.open(self._steps, request, answer, within=within)()

    async def request(self, request: Request, answer: type[A], *, within: timedelta | None = None) -> A:
        """See RunContext.request."""
        if not self._steps.is_begun():
            await self._bench.questions.check(request)
        return await self.ask(request, answer, within=within)

    async def clarify(self, question: str, options: Sequence[str] = ()) -> str:
        """See RunContext.clarify."""
        within = self._bench.limits.clarification_timeout
        return await clarify(self, question, options, agent_name=self._bench.hand.turn.agent_name, within=within)

    async def credential(self, name: str) -> Secret:
        """See ToolContext.credential."""
        return await credential_of(self._bench, name)

    async def content(self, uri: str, *, most_bytes: int | None = None) -> bytes:
        """See ToolContext.content."""
        return await content_at(self._bench, uri, most_bytes)

    async def run_agent(self, agent_id: str, text: str) -> str:
        """See ToolContext.run_agent."""
        return await self._bench.nest(self._bench, self._steps, agent_id, text)

    async def recall(self, name: str, *, of_session: bool = False) -> Any:
        """See RunContext.recall."""

        async def read() -> Any:
            kept = await self._bench.state(f"agent:{name}", of_branch=not of_session)
            return None if kept is None else msgspec.json.decode(kept)

        return await self.step(f"recall {name}", read, arguments=of_session)

    async def keep(self, name: str, value: Any, *, of_session: bool = False) -> None:
        """See RunContext.keep."""

        async def given() -> Any:
            return value

        await self.keep_as(f"agent:{name}", given, by=value, of_session=of_session)

    async def keep_as(
        self, name: str, made: Callable[[], Awaitable[Any]], *, by: Any, of_session: bool = False
    ) -> None:
        """Keep what is made under its full name, once; `by` is what it is made of, and is the same each time."""
        key = self._steps.next_key(StepKind.WORK, f"keep {name}", by)
        if self._steps.logged(key) is not None:
            return
        value = await made()
        run = self._bench.hand.lease.run
        kept = None if value is None else msgspec.json.encode(value)
        change = KeepState(run.scope, of_branch=not of_session, name=name, value=kept)
        changes = (BeginStep(run.id, key), FinishStep(run.id, key.place, b"true"), change)
        if of_session:
            self._bench.hand.record(*changes)
        else:
            told = BranchMiddlewareStateCommitted(state={name: "null" if kept is None else kept.decode()})
            self._bench.hand.put(told, *changes)
        await self._bench.hand.settle()

    async def step(self, name: str, work: Callable[[], Awaitable[T]], *, arguments: Any = None) -> T:
        """See RunContext.step."""
        key = self._steps.next_key(StepKind.WORK, name, arguments)
        step = self._steps.logged(key)
        if step is not None and step.result is not None:
            done: T = msgspec.json.decode(step.result)
            return done
        if step is None:
            await self._begin(key)
        result = msgspec.json.encode(await work())
        self._bench.hand.record(FinishStep(self._bench.hand.lease.run.id, key.place, result))
        await self._bench.hand.settle()
        # As JSON gives it back, this time too: a run that begins again must not see another type than before.
        value: T = msgspec.json.decode(result)
        return value

    async def _begin(self, key: StepKey) -> None:
        # Known to the store before the work has an effect: a crash must find that it was begun.
        self._bench.hand.record(BeginStep(self._bench.hand.lease.run.id, key))
        await self._bench.hand.settle()
