"""What a run gives its agent: the door RunContext, standing on hand and steps."""

from collections.abc import AsyncIterable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, Final

import msgspec

from events.branches import Content, FunctionResult
from events.compaction import CompactionMode, CompactionStrategy, Retention
from events.ids import AgentId, MessageId, RunId
from events.retries import ModelCallRetry
from events.text import Role
from events.tools import CallType
from events.turns import AgentTurnFinished, AgentTurnStarted, Usage
from hosting.domain.compaction_options import CompactionOptions
from hosting.domain.message import Message, MessageState
from hosting.domain.run_config import RunConfig
from hosting.domain.scope import BranchScope
from hosting.domain.step import StepKind
from hosting.ports.agents import Reply, ToolOutcome
from hosting.ports.history import DiscardMessage
from hosting.ports.tools import Tool
from hosting.ports.units import (
    BeginStep,
    CloseMessage,
    FinishStep,
    RunChange,
)
from hosting.runtime.bench import Bench
from hosting.runtime.choices import Choices
from hosting.runtime.client_tool_calls import client_instructions, client_tool, visible_client_tools
from hosting.runtime.closing import close_calls, interrupted_call
from hosting.runtime.compact import compact_now
from hosting.runtime.compacted import COMPACTED, read_compacted
from hosting.runtime.reply import ReplyWriter
from hosting.runtime.routes import choose_route
from hosting.runtime.saying import Write, reading, writing
from hosting.runtime.steps import Steps
from hosting.runtime.together import together
from hosting.runtime.tool_results import error_result, value_of
from hosting.runtime.tool_run import ToolRun
from hosting.runtime.work_context import WorkContext
from middleware.client_tools.visible import VisibleTool
from middleware.compaction import Wish
from middleware.continuation import Continuation
from middleware.retry import Retry, is_made_again

_RETRY: Final = Retry()
_NOTHING: Final = msgspec.Raw(b"null")


class _StoredMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    id: MessageId
    contents: tuple[Content, ...]
    usage: Usage | None = None
    attachment: msgspec.Raw = _NOTHING


class AgentContext(WorkContext):
    """See the door, RunContext; `input` is what the turn answers to."""

    def __init__(self, bench: Bench, steps: Steps, input: Sequence[Message]) -> None:  # noqa: A002 - the door's word
        super().__init__(bench, steps)
        self.input = input
        self.iterations = 0
        self._said: list[Message] = []
        self._continuation = Continuation()
        self._is_calling = False

    @property
    def run_id(self) -> RunId:
        """See RunContext.run_id."""
        return self._bench.hand.lease.run.id

    @property
    def agent_id(self) -> AgentId:
        """See RunContext.agent_id."""
        return self._bench.hand.turn.agent_id

    @property
    def scope(self) -> BranchScope:
        """See RunContext.scope."""
        return self._bench.hand.lease.run.scope

    @property
    def config(self) -> RunConfig:
        """See RunContext.config."""
        return self._bench.config

    @property
    def text(self) -> str:
        """See RunContext.text."""
        return self.input[-1].text

    @property
    def run_timeout(self) -> timedelta | None:
        """See TurnContext.run_timeout."""
        return self._bench.limits.run_timeout

    @property
    def run_took(self) -> timedelta:
        """See TurnContext.run_took; nested work is timed from when it begins."""
        run = self._bench.hand.lease.run
        if self._bench.hand.turn.depth or run.started_at is None:
            return timedelta()
        return max(timedelta(), self._bench.runtime.clock() - run.started_at)

    @property
    def iteration(self) -> int:
        """See Iterations.iteration."""
        return self.iterations + 1

    @property
    def iteration_limit(self) -> int | None:
        """See Iterations.iteration_limit."""
        return self._bench.limits.iterations

    @property
    def iteration_extension(self) -> int:
        """See Iterations.iteration_extension."""
        return self._bench.limits.extension

    @property
    def model_retries(self) -> int:
        """See ModelCall.model_retries."""
        return self._bench.limits.model_retries

    @property
    def continuation_timeout(self) -> timedelta | None:
        """See Iterations.continuation_timeout."""
        return self._bench.limits.continuation_timeout

    @property
    def last_text(self) -> str:
        """The last that the agent has said."""
        return next((message.text for message in reversed(self._said) if message.text), "")

    async def history(self) -> list[Message]:
        """See RunContext.history."""
        if self._bench.hand.turn.depth:
            # Nested work has a conversation of its own: what it was asked, and what it has said since.
            return [*self.input, *self._said]
        await self._bench.hand.settle_read()
        messages = await self._bench.runtime.run_reads.messages(self._bench.hand.lease.run.branch_key)
        compacted = read_compacted(await self._bench.state(COMPACTED, of_branch=True))
        return messages if compacted is None else compacted.seen(messages)

    async def compact(
        self,
        *,
        keep_messages: int | None = None,
        strategy: CompactionStrategy | None = None,
        retention: Retention | None = None,
    ) -> bool:
        """See RunContext.compact."""
        if self._bench.hand.turn.depth:
            return False
        said = CompactionOptions(keep_messages=keep_messages, strategy=strategy, retention=retention)
        wish = Wish(said.over(self._bench.policy), CompactionMode.FORCED)
        return await compact_now(self._bench, self._steps, self, self.iteration, wish)

    async def client_tools(self) -> Sequence[VisibleTool]:
        """See RunContext.client_tools."""
        return await visible_client_tools(self._bench)

    async def client_instructions(self) -> Sequence[str]:
        """See RunContext.client_instructions."""
        return await client_instructions(self._bench)

    async def route(self, candidates: Sequence[str], work_type: str | None = None) -> str:
        """See RunContext.route."""
        return await choose_route(self._bench, self._steps, candidates, work_type)

    async def model_call(self, write: Write, *, name: str = "model", arguments: Any = None) -> Message:
        """See RunContext.model_call."""
        return await self._continuation.around_model_call(self, lambda: self._model_call(write, name, arguments))

    async def say(self, text: str | AsyncIterable[str]) -> Message:
        """See RunContext.say."""
        if isinstance(text, str):
            return await self.model_call(writing(text), name="say", arguments=text)
        if not isinstance(text, AsyncIterable):
            raise TypeError(f"What is said is a text, or yields texts asynchronously; it is no {type(text).__name__}.")
        # What has been read from cannot be read again: a failure in it is the last one.
        return await self._continuation.around_model_call(
            self, lambda: self._model_call(reading(text), "say", None, is_repeatable=False)
        )

    async def conclude(self, text: str) -> None:
        """See Iterations.conclude."""
        await self._model_call(writing(text), "stopped", text)

    async def call(self, tool: Tool | str, /, **arguments: Any) -> Any:
        """See RunContext.call."""
        if self._is_calling:
            # The next message would go on without this call, and end it.
            raise RuntimeError("context.call makes one call at a time; a message can make several, see model_call.")
        self._is_calling = True
        try:
            return await self._call(tool, arguments)
        finally:
            self._is_calling = False

    async def take_back(self, message: Message, told: ModelCallRetry) -> None:
        """See RunContext.take_back."""
        hand = self._bench.hand
        key = self._steps.next_key(StepKind.WORK, "take back", message.id)
        self._said = [said for said in self._said if said.id != message.id]
        if self._steps.logged(key) is not None:
            return
        # What is said inside of nested work was no part of the conversation.
        discard = () if hand.turn.depth else (DiscardMessage(message.id),)
        hand.put(told, BeginStep(self.run_id, key), FinishStep(self.run_id, key.place, b"true"), *discard)
        await hand.settle()

    async def call_tools(
        self, message: Message, tools: Sequence[Tool] = (), *, told: Callable[[ToolOutcome], None] | None = None
    ) -> list[ToolOutcome]:
        """See RunContext.call_tools."""
        if not message.calls:
            return []
        hand, run_id = self._bench.hand, self.run_id
        key = self._steps.next_key(StepKind.BATCH, "tools", [call.call_id for call in message.calls])
        batch, steps = self._steps.logged(key), self._steps.inside(key)
        if batch is None:
            if any(call.call_id not in hand.unfinished.calls for call in message.calls):
                raise ValueError("The calls of this message were made before, or the agent went on without them.")
            hand.record(BeginStep(run_id, key))
        choices = Choices(self._bench, [call.name for call in message.calls])
        runs = []
        for call in message.calls:
            tool = await self._tool(call.name, tools, is_begun=steps.is_begun())
            runs.append(ToolRun(self._bench, steps, message, call, tool, choices=choices))
        # All questions are asked, in the order of the calls, before any is waited for.
        for run in runs:
            await run.prepare()
        outcomes = await together(run.finish(told) for run in runs)
        self._remember(answered := _answered(message, outcomes, self._ended_state))
        if batch is None or batch.result is None:
            self._end_agent_turn(CloseMessage(answered), FinishStep(run_id, key.place, b"true"))
            hand.unfinished.answered(message)
            await hand.settle()
        return outcomes

    async def _call(self, tool: Tool | str, arguments: dict[str, Any]) -> Any:
        name, tools = (tool, ()) if isinstance(tool, str) else (tool.name, (tool,))
        call_type = CallType.FUNCTION if isinstance(tool, str) else tool.call_type

        async def write(reply: Reply) -> None:
            await reply.call(name, arguments, call_type=call_type)

        message = await self.model_call(write, name=f"call {name}", arguments=arguments)
        (outcome,) = await self.call_tools(message, tools)
        return value_of(outcome)

    @property
    def _ended_state(self) -> MessageState:
        return MessageState.NESTED if self._bench.hand.turn.depth else MessageState.COMPLETE

    async def _model_call(self, write: Write, name: str, arguments: Any, *, is_repeatable: bool = True) -> Message:
        self.iterations += 1
        hand, turn = self._bench.hand, self._bench.hand.turn
        key = self._steps.next_key(StepKind.MODEL_CALL, name, arguments)
        step = self._steps.logged(key)
        if step is not None and step.result is not None:
            return self._remember(self._read(step.result))
        if hand.replies:
            raise RuntimeError("This turn is in a model call already; make the next one when that has ended.")
        begin = () if step is not None else (BeginStep(self.run_id, key),)
        if hand.unfinished.calls:
            await close_calls(self._bench.runtime, hand)
        self._end_agent_turn()
        hand.put(AgentTurnStarted(iteration=self.iterations, **turn.flow), *begin)
        message, usage = await (self._try(write) if is_repeatable else self._write(write, is_last=True))
        finished = FinishStep(self.run_id, key.place, _stored(message, usage))
        if message.calls:
            # The turn of the model goes on until its tools have answered.
            hand.record(finished)
        else:
            self._end_agent_turn(finished)
        await hand.settle()
        return self._remember(message)

    async def _try(self, write: Write) -> tuple[Message, Usage | None]:
        tries = count()
        return await _RETRY.around_model_call(
            self, lambda: self._write(write, is_last=next(tries) >= self.model_retries)
        )

    async def _write(self, write: Write, *, is_last: bool) -> tuple[Message, Usage | None]:
        hand = self._bench.hand
        reply = ReplyWriter(hand, self._bench.runtime.ids, joins_deltas=self._bench.config.coalesce_deltas)
        hand.replies.append(reply)
        try:
            await write(reply)
            message = reply.complete()
        except BaseException as error:
            # An agent that is stopped may fail as it likes: its turn is closed by whoever stops it, in its own order,
            # or goes on when the server has started again.
            if not hand.is_withdrawn:
                hand.replies.remove(reply)
                again = not is_last and is_made_again(error)
                reply.cut(discarded=again)
                if again:
                    self._end_calls_of(reply.id)
            raise
        finally:
            # What a call that failed has cost, it has cost.
            hand.spend(reply.usage)
        hand.replies.remove(reply)
        return message, reply.usage

    def _read(self, result: bytes) -> Message:
        stored = msgspec.json.decode(result, type=_StoredMessage)
        self._bench.hand.spend(stored.usage)
        attached = None if stored.attachment == _NOTHING else bytes(stored.attachment)
        return Message(stored.id, Role.ASSISTANT, stored.contents, run_id=self.run_id, attachment=attached)

    def _end_calls_of(self, message_id: MessageId) -> None:
        hand = self._bench.hand
        for call in [call for call in hand.unfinished.calls.values() if call.message_id == message_id]:
            for event in interrupted_call(call):
                hand.put(event)

    def _end_agent_turn(self, *changes: RunChange) -> None:
        hand = self._bench.hand
        begun = hand.unfinished.agent_turn
        if begun is not None:
            hand.put(AgentTurnFinished(iteration=begun.iteration, **hand.turn.flow), *changes)
        elif changes:
            hand.record(*changes)

    async def _tool(self, name: str, tools: Sequence[Tool], *, is_begun: bool) -> Tool:
        known = next((tool for tool in tools if tool.name == name), None)
        if known is not None and (known.is_there or not is_begun):
            return known
        of_client = await client_tool(self._bench, name, is_begun=is_begun)
        return of_client or known or Tool(name, _unknown, is_there=False)

    def _remember(self, message: Message) -> Message:
        if self._said and self._said[-1].id == message.id:
            self._said.pop()
        self._said.append(message)
        return message


async def _unknown(context: object, arguments: object) -> object:
    return error_result("There is no tool of this name.")


def _answered(message: Message, outcomes: Sequence[ToolOutcome], state: MessageState) -> Message:
    results = tuple(FunctionResult(call_id=outcome.call_id, result=outcome.result) for outcome in outcomes)
    return Message(message.id, message.role, (*message.contents, *results), state, message.run_id)


def _stored(message: Message, usage: Usage | None) -> bytes:
    attached = _NOTHING if message.attachment is None else msgspec.Raw(message.attachment)
    return msgspec.json.encode(_StoredMessage(message.id, message.contents, usage, attached))
