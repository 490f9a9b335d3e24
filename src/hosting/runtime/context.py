"""What a run gives its agent: the door RunContext, standing on pen and steps."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from events.branches import BranchCreated, Content
from events.control import StreamClosing, StreamReset
from events.event import Event
from events.ids import AgentId, MessageId, RunId
from events.runs import BranchRunCompleted, BranchRunStarted
from events.text import Role
from events.turns import AgentTurnFinished, AgentTurnStarted
from hosting.domain.message import Message
from hosting.domain.run_config import RunConfig
from hosting.domain.scope import BranchScope
from hosting.domain.step import StepKey, StepKind
from hosting.ports.agents import Reply
from hosting.ports.units import BeginStep, FinishStep
from hosting.runtime.core import Runtime
from hosting.runtime.pen import Pen
from hosting.runtime.reply import ReplyWriter
from hosting.runtime.steps import Steps
from hosting.runtime.turn import Turn

T = TypeVar("T")

_NOT_FOR_AGENTS = (BranchCreated, BranchRunStarted, BranchRunCompleted, StreamReset, StreamClosing)


class _StoredMessage(msgspec.Struct, frozen=True):
    id: MessageId
    contents: tuple[Content, ...]


class AgentContext:
    """See the door, RunContext."""

    def __init__(
        self,
        runtime: Runtime,
        pen: Pen,
        turn: Turn,
        *,
        steps: Steps,
        input: Sequence[Message],  # noqa: A002 - the word of the door
        config: RunConfig,
    ) -> None:
        self._runtime = runtime
        self._pen = pen
        self._turn = turn
        self._steps = steps
        self._config = config
        self.input = input
        self.iterations = 0
        self._open: list[ReplyWriter] = []

    @property
    def run_id(self) -> RunId:
        """See RunContext.run_id."""
        return self._pen.lease.run.id

    @property
    def agent_id(self) -> AgentId:
        """See RunContext.agent_id."""
        return self._pen.lease.run.agent_id

    @property
    def scope(self) -> BranchScope:
        """See RunContext.scope."""
        return self._pen.lease.run.scope

    @property
    def run_timeout(self) -> timedelta | None:
        """See TurnContext.run_timeout."""
        return self._config.run_timeout

    async def history(self) -> list[Message]:
        """See RunContext.history."""
        await self._pen.settle()
        return await self._runtime.run_reads.messages(self._pen.lease.run.branch_key)

    async def emit(self, event: Event) -> None:
        """See RunContext.emit."""
        if isinstance(event, _NOT_FOR_AGENTS):
            raise TypeError(f"{type(event).__name__} is the runtime's to emit, not an agent's.")
        await self._pen.emit(event)

    async def model_call(
        self, write: Callable[[Reply], Awaitable[None]], *, name: str = "model", arguments: Any = None
    ) -> Message:
        """See RunContext.model_call."""
        self.iterations += 1
        key = self._steps.next_key(StepKind.MODEL_CALL, name, arguments)
        step = self._steps.logged(key)
        if step is not None and step.result is not None:
            return _read_message(step.result, self.run_id)
        begin = () if step is not None else (BeginStep(self.run_id, key),)
        iteration = self.iterations
        self._pen.put(AgentTurnStarted(iteration=iteration, **self._turn.flow), *begin)
        message = await self._write(write)
        result = msgspec.json.encode(_StoredMessage(message.id, message.contents))
        finished = AgentTurnFinished(iteration=iteration, **self._turn.flow)
        self._pen.put(finished, FinishStep(self.run_id, key.ordinal, result))
        await self._pen.settle()
        return message

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
        self._pen.record(FinishStep(self.run_id, key.ordinal, result))
        await self._pen.settle()
        # As JSON gives it back, this time too: a run that begins again must not see another type than before.
        value: T = msgspec.json.decode(result)
        return value

    def cut(self) -> None:
        """End the messages that are still open: the run has failed."""
        for reply in self._open:
            reply.cut()
        self._open.clear()

    async def _begin(self, key: StepKey) -> None:
        # Known to the store before the work has an effect: a crash must find that it was begun.
        self._pen.record(BeginStep(self.run_id, key))
        await self._pen.settle()

    async def _write(self, write: Callable[[Reply], Awaitable[None]]) -> Message:
        reply = ReplyWriter(self._pen, self._runtime.ids, self._turn)
        self._open.append(reply)
        try:
            await write(reply)
        except asyncio.CancelledError:
            # By the server, perhaps, which goes on with the run later; if the run ends with it, `cut` is called.
            raise
        except BaseException:
            self._open.remove(reply)
            reply.cut()
            raise
        self._open.remove(reply)
        return reply.complete()


def _read_message(result: bytes, run_id: RunId) -> Message:
    stored = msgspec.json.decode(result, type=_StoredMessage)
    return Message(stored.id, Role.ASSISTANT, stored.contents, run_id=run_id)
