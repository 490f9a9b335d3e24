"""Where a run is written that is done elsewhere: what its worker tells becomes events, in the order of the telling."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from events.branches import FunctionResult
from events.event import Event
from events.runs import RunStatus
from events.tools import ToolCallEnd, ToolCallResult, ToolResult
from events.turns import AgentTurnFinished, AgentTurnStarted
from hosting.domain.message import Message, MessageState
from hosting.domain.run import Ending
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkReport, WorkState
from hosting.ports.units import CloseMessage, RunChange, UpdateWork
from hosting.ports.work import Claim
from hosting.runtime.beginning import begin_turn, hand_of
from hosting.runtime.closing import close_calls
from hosting.runtime.core import Runtime
from hosting.runtime.finish import finish_run
from hosting.runtime.hand import Hand
from hosting.runtime.pen import Pen
from hosting.runtime.recovery import Past, read_past
from hosting.runtime.reply import ReplyWriter
from hosting.runtime.turn import flow_of


class Desk:
    """Writes for one claim of a work item; whoever writes holds `lock`, and ends with `settle`.

    What is said goes into one message until it is ended, or something is called; calls are answered before more is
    said, or given up.
    """

    def __init__(self, runtime: Runtime, item: WorkItem, hand: Hand) -> None:
        self.lock = asyncio.Lock()
        self.item = item
        self.last_said = ""
        """The text of the last message that has ended."""
        self._runtime = runtime
        self._hand = hand
        self._worker_id = WorkerId(hand.lease.node)
        self._reply: ReplyWriter | None = None
        self._relayed: dict[str, int] | None = None

    @property
    def holding(self) -> Holding:
        """Whose reports are written here."""
        return Holding(self.item.scope.tenant, self.item.id, self._worker_id)

    @property
    def hand(self) -> Hand:
        """What it writes with."""
        return self._hand

    @property
    def relay_state(self) -> str:
        """The name under which the branch keeps what was relayed."""
        return f"relay:{self.item.id}"

    async def relayed(self) -> dict[str, int]:
        """Return the index of the last frame that was taken of each turn; whoever changes it also keeps it."""
        if self._relayed is None:
            reads, branch = self._runtime.run_reads, self.item.branch_key
            kept = await reads.state(branch, self.item.scope, [self.relay_state], of_branch=True)
            self._relayed = msgspec.json.decode(kept.get(self.relay_state, b"{}"), type=dict[str, int])
        return self._relayed

    @property
    def is_writing(self) -> bool:
        """Whether a message has been begun."""
        return self._reply is not None

    async def say(self, piece: str) -> None:
        """Add to the message, or begin one."""
        if self._reply is not None and self._reply.calls:
            self.end_message()
        await (self._reply or await self._begin_message()).text(piece)

    def end_message(self) -> None:
        """End the message, if there is one; one that calls goes on until it is answered."""
        if self._reply is None:
            return
        reply, self._reply = self._reply, None
        self._hand.replies.remove(reply)
        message = reply.complete()
        self.last_said = message.text
        if not message.calls:
            self._end_agent_turn()

    async def call(self, name: str, arguments: Mapping[str, Any], call_id: str) -> None:
        """Call a tool, in the message that is being written or in one of its own."""
        await (self._reply or await self._begin_message()).call(name, arguments, call_id=call_id)

    def answer(self, call_id: str, result: ToolResult) -> bool:
        """Tell what a call came to; False when it is not open."""
        if self._reply is not None and any(call.call_id == call_id for call in self._reply.calls):
            self.end_message()
        call = self._hand.unfinished.calls.get(call_id)
        if call is None:
            return False
        told = ToolCallResult(
            call_id=call_id, result=result, call_type=call.call_type, name=call.name, message_id=call.message_id
        )
        self._hand.put(told)
        self._hand.put(ToolCallEnd(call_id=call_id, **flow_of(call)))
        message = self._hand.unfinished.calling.get(call.message_id)
        if message is not None and all(each.call_id in self._hand.unfinished.results for each in message.calls):
            self._answered(message)
        return True

    def put(self, event: Event, *changes: RunChange) -> None:
        """Append an event with its row changes."""
        self._hand.put(event, *changes)

    def update(self, state: WorkState | None = None, report: WorkReport | None = None) -> None:
        """Note how the item stands, and what its worker says of it."""
        self._hand.record(UpdateWork(self.item.id, state, report, self._runtime.clock()))

    async def settle(self) -> None:
        """Wait until all of it is durable, and told to the readers.

        Raises:
            LeaseLost: somebody else writes for the run now; none of it is stored.
            StorageUnavailable: it is not known to be stored.
        """
        await self._hand.settle()

    async def finish(self, ending: Ending) -> None:
        """End the run; raises as `settle` does."""
        if ending.status is RunStatus.COMPLETED:
            self.end_message()
        self._hand.withdraw()
        await finish_run(self._runtime, self._hand, ending)

    def _answered(self, message: Message) -> None:
        unfinished = self._hand.unfinished
        results = tuple(
            FunctionResult(call_id=call.call_id, result=unfinished.results[call.call_id]) for call in message.calls
        )
        closed = Message(message.id, message.role, (*message.contents, *results), MessageState.COMPLETE, message.run_id)
        self._hand.record(CloseMessage(closed))
        unfinished.answered(message)
        self._end_agent_turn()

    async def _begin_message(self) -> ReplyWriter:
        hand = self._hand
        if hand.unfinished.calls:
            await close_calls(self._runtime, hand)
        self._end_agent_turn()
        hand.put(AgentTurnStarted(iteration=hand.unfinished.iterations + 1, **hand.turn.flow))
        return self._write_with(ReplyWriter(hand, self._runtime.ids))

    def _write_with(self, reply: ReplyWriter) -> ReplyWriter:
        self._hand.replies.append(reply)
        self._reply = reply
        return reply

    def _end_agent_turn(self) -> None:
        begun = self._hand.unfinished.agent_turn
        if begun is not None:
            self._hand.put(AgentTurnFinished(iteration=begun.iteration, **self._hand.turn.flow))

    def resume(self, past: Past) -> None:
        """Go on with the message that was being written."""
        for message_id, words in past.being_written().items():
            reply = ReplyWriter(self._hand, self._runtime.ids)
            reply.resume(message_id, words)
            self._write_with(reply)


async def open_desk(runtime: Runtime, claim: Claim) -> Desk:
    """Return a desk at which the run goes on: where its worker was, or from the beginning of a worker that is new.

    The caller's fence must be its own, so that no other desk writes for the run.

    Raises:
        StorageUnavailable: the run's past cannot be read.
    """
    item, lease = claim.item, claim.lease
    pen = Pen(lease, runtime.writer, runtime.serializer, runtime.clock)
    past = Past() if lease.run.turn_id is None else await read_past(runtime, lease)
    is_new = item.state is WorkState.CLAIMED
    if is_new:
        past.end_cut_messages(pen, MessageState.DISCARDED)
    desk = Desk(runtime, item, hand_of(runtime, pen, past, item.agent_name))
    if is_new:
        begin_turn(desk.hand)
        desk.update(WorkState.RUNNING)
    else:
        desk.resume(past)
    return desk
