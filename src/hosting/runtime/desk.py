"""Where a run is written that is done elsewhere: what its worker tells becomes events, in the order of the telling."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from events.branches import FunctionResult
from events.event import Event
from events.retries import ModelCallRetry
from events.runs import RunStatus
from events.tools import ToolCallEnd, ToolCallResult, ToolResult
from events.turns import AgentTurnFinished, AgentTurnStarted, Usage
from events.work import WorkActivity
from hosting.domain.interrupt import Interrupt
from hosting.domain.message import Message, MessageState
from hosting.domain.relayed import Relayed
from hosting.domain.run import Ending
from hosting.domain.work_errors import MessageTooLong
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkReport, WorkState
from hosting.ports.history import DiscardMessage
from hosting.ports.units import CloseMessage, RunChange, UpdateWork
from hosting.runtime.closing import close_calls, tell_interrupted
from hosting.runtime.core import Runtime
from hosting.runtime.finish import finish_run
from hosting.runtime.hand import Hand
from hosting.runtime.recovery import Past
from hosting.runtime.relay_state import keep_relayed, read_relayed
from hosting.runtime.reply import ReplyWriter
from hosting.runtime.told import RESPONSE, Said, Told
from hosting.runtime.turn import flow_of

LONGEST_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of text and arguments: any report may add to a message, and all of it is kept in memory."""


class Desk:
    """Writes for one claim of a work item; whoever writes holds `lock`, and ends with `settle`.

    What is said goes into one message until it is ended, or something is called; calls are answered before more is
    said, or given up. More can be called while calls are open, as agents do that let others work.
    """

    def __init__(self, runtime: Runtime, item: WorkItem, hand: Hand, told: Told) -> None:
        self.lock = asyncio.Lock()
        self.item = item
        self.state = item.state
        """How the item stands, with what was updated here."""
        self.report = item.report
        """What its workers have said of it, likewise."""
        self._told = told
        self._runtime = runtime
        self._hand = hand
        self._worker_id = WorkerId(hand.lease.node)
        self._reply: ReplyWriter | None = None
        self._relayed: Relayed | None = None
        self.has_ended = False
        """Whether the run has ended here, so that nothing more can be written."""

    @property
    def holding(self) -> Holding:
        """Whose reports are written here."""
        return Holding(self.item.scope.tenant, self.item.id, self._worker_id)

    @property
    def hand(self) -> Hand:
        """What it writes with."""
        return self._hand

    async def relayed(self) -> Relayed:
        """Return how far the relay of its worker's words has come.

        Where its turn is not whole, what was said lacks something: whoever is told the whole text takes that instead.
        """
        if self._relayed is None:
            self._relayed = await read_relayed(self._runtime, self.item)
        return self._relayed

    def keep_relayed(self, relayed: Relayed) -> None:
        """Keep how far the relay has come, with what is said before `settle`."""
        self._relayed = relayed
        self._hand.record(keep_relayed(self.item, relayed))

    @property
    def is_writing(self) -> bool:
        """Whether a message has been begun."""
        return self._reply is not None

    def check_room(self, more: int, *, calls: bool = False) -> None:
        """Refuse what the message has no room for that it would be added to, in bytes; asked before it is written.

        Raises:
            MessageTooLong: it has not.
        """
        reply = self._reply
        if reply is not None and (calls or not reply.calls) and reply.size + more > LONGEST_MESSAGE:
            raise MessageTooLong(LONGEST_MESSAGE)

    async def say(self, piece: str, turn_id: str | None = None, index: int | None = None) -> None:
        """Add to the message, or begin one; `turn_id` and `index` are the piece's place in the relay, if it has one.

        Only to give up calls, before the message begins, is anything waited for: what is said without calls in between
        is one unit, however much it is.
        """
        if self._reply is not None and self._reply.calls:
            self.end_message()
        (self._reply or await self._begin_message()).add_text(piece, turn_id, index)

    def end_message(self) -> None:
        """End the message, if there is one; one that calls goes on until it is answered."""
        if self._reply is None:
            return
        reply, self._reply = self._reply, None
        self._hand.replies.remove(reply)
        message = reply.complete()
        if message.text:
            self._told.said = Said(message.id, message.text, calls=bool(message.calls))
        if not message.calls:
            self._end_agent_turn()

    async def conclude(self, text: str, *, is_whole: bool) -> None:
        """Say the last words, as far as they are not said yet.

        Where what was said before may lack pieces (it is not `is_whole`), and is a part of it, it is said anew.
        """
        reply = self._reply
        if reply is not None and not reply.calls and is_whole and text.startswith(reply.said):
            if rest := text[len(reply.said) :]:
                await self.say(rest)
            self.end_message()
            return
        self.end_message()
        said = self._told.said
        if said is not None and said.text.strip().endswith(text.strip()):
            return
        if said is not None and not is_whole and not said.calls and said.is_part_of(text):
            self._take_back(said)
        await self.say(text)
        self.end_message()

    @property
    def beginnings(self) -> int:
        """How often the agent has begun: once, and again with each worker that came after one was lost."""
        return self._told.beginnings

    def call_named(self, told: str) -> str:
        """Return the id of a call that the worker has named; that of an agent which has begun again is another call."""
        return told if self.beginnings <= 1 else f"{told}-{self.beginnings}"

    def knows_call(self, call_id: str) -> bool:
        """Say whether a call was made, answered or not."""
        return call_id in self._told.calls

    def knows_result(self, call_id: str) -> bool:
        """Say whether a call was answered, and not just given up."""
        return call_id in self._told.answered

    def open_call(self, name: str) -> str | None:
        """Return the oldest call of a tool that is not answered yet."""
        return next((call_id for call_id, call in self._hand.unfinished.calls.items() if call.name == name), None)

    async def call(self, name: str, arguments: Mapping[str, Any], call_id: str) -> None:
        """Call a tool, in the message that is being written or in one of its own."""
        self._told.calls.add(call_id)
        await (self._reply or await self._begin_message(to_call=True)).call(name, arguments, call_id=call_id)

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
        self._told.note_result(call_id, result)
        self._hand.put(ToolCallEnd(call_id=call_id, **flow_of(call)))
        message = self._hand.unfinished.calling.get(call.message_id)
        if message is not None and all(each.call_id in self._hand.unfinished.results for each in message.calls):
            self._answered(message)
        return True

    def put(self, event: Event, *changes: RunChange) -> None:
        """Append an event with its row changes."""
        self._hand.put(event, *changes)

    def tell(self, activity_type: str, content: str, details: dict[str, Any] | None = None) -> None:
        """Tell what the worker is about; a `response` is what it ends with, if it says nothing else."""
        if activity_type == RESPONSE:
            self._told.answer = content
        self.put(WorkActivity(work_item_id=self.item.id, activity_type=activity_type, content=content, details=details))

    def update(self, state: WorkState | None = None, report: WorkReport | None = None) -> None:
        """Note how the item stands, and what its worker says of it."""
        self._hand.record(UpdateWork(self.item.id, state, report, self._runtime.clock()))
        self.state = state or self.state
        self.report = self.report if report is None else self.report.merged(report)

    async def settle(self) -> None:
        """Wait until all of it is durable, and told to the readers.

        Raises:
            LeaseLost: somebody else writes for the run now; none of it is stored.
            StorageUnavailable: it is not known to be stored.
        """
        await self._hand.settle()

    async def finish(self, ending: Ending, wish: Interrupt | None = None) -> None:
        """End the run, one that is cancelled with the wish that it was cancelled for; raises as `settle` does."""
        if ending.status is RunStatus.COMPLETED:
            if self._told.said is None and self._reply is None and self._told.answer:
                await self.say(self._told.answer)
            self.end_message()
        self._hand.usage = _usage(self.report)
        self._hand.withdraw()
        if wish is not None:
            tell_interrupted(self._hand, wish)
        await finish_run(self._runtime, self._hand, ending)
        self.has_ended = True

    def _answered(self, message: Message) -> None:
        unfinished = self._hand.unfinished
        results = tuple(
            FunctionResult(call_id=call.call_id, result=unfinished.results[call.call_id]) for call in message.calls
        )
        closed = Message(message.id, message.role, (*message.contents, *results), MessageState.COMPLETE, message.run_id)
        self._hand.record(CloseMessage(closed))
        unfinished.answered(message)
        if not unfinished.calls:
            self._end_agent_turn()

    def _take_back(self, said: Said) -> None:
        self._told.take_back()
        again = ModelCallRetry(
            attempt=1,
            max_retries=1,
            delay=timedelta(),
            exception_type="RelayGap",
            error_message="Pieces of the answer were lost between the worker and the server; it follows whole.",
            event_flow_id=self._hand.turn.id,
        )
        self.put(again, DiscardMessage(said.id))

    async def _begin_message(self, *, to_call: bool = False) -> ReplyWriter:
        hand = self._hand
        if hand.unfinished.calls and to_call:
            # The turn of the model that made those goes on.
            return self._write_with(ReplyWriter(hand, self._runtime.ids))
        if hand.unfinished.calls:
            # Not those that somebody is asked about: a worker that goes on speaking takes no question back.
            await close_calls(self._runtime, hand, but_asked=True)
        self._end_agent_turn()
        if hand.unfinished.agent_turn is None:
            hand.put(AgentTurnStarted(iteration=hand.unfinished.iterations + 1, **hand.turn.flow))
        return self._write_with(ReplyWriter(hand, self._runtime.ids))

    def _write_with(self, reply: ReplyWriter) -> ReplyWriter:
        self._hand.replies.append(reply)
        self._reply = reply
        return reply

    def _end_agent_turn(self) -> None:
        """End the turn of the model, which has no end while something in it is open."""
        unfinished = self._hand.unfinished
        begun = unfinished.agent_turn
        if begun is not None and not unfinished.calls and not unfinished.requests:
            self._hand.put(AgentTurnFinished(iteration=begun.iteration, **self._hand.turn.flow))

    def resume(self, past: Past) -> None:
        """Go on with the turn, and with the message that was being written."""
        started = self._hand.unfinished.turn
        if started is not None and started.span_id is not None:
            # What is inside of the turn names its span, which must be the one that it began with.
            turn, began = self._hand.turn, started.timestamp or self._hand.turn.began
            self._hand.turn = replace(turn, span_id=started.span_id, began=began)
        for message_id, words in past.being_written().items():
            reply = ReplyWriter(self._hand, self._runtime.ids)
            reply.resume(message_id, words)
            self._write_with(reply)


def _usage(report: WorkReport) -> Usage | None:
    if report.input_tokens is None and report.output_tokens is None and report.total_cost_usd is None:
        return None
    return Usage(
        input_tokens=report.input_tokens or 0,
        output_tokens=report.output_tokens or 0,
        cost_usd=report.total_cost_usd,
    )
