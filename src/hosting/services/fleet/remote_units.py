"""What a batch of a worker of our own becomes: events and row changes of its run, and of nothing else."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from events import branches, control, interactions, queue, runs, strict, text, tools, tree, turns, work
from events.compaction import BranchHistoryCompacted
from events.event import Event
from events.ids import is_client_id, is_name, is_summary
from events.interactions import Request, Response
from events.runs import BranchRunCompleted, RunStatus
from events.serializer import Encoded, EnvelopeRefused, Stamp
from hosting.domain.errors import InvalidRequest
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.message import Message, MessageState
from hosting.domain.remote_batch import (
    Batch,
    Change,
    HistoryCompacted,
    MessageClosed,
    MessageOpened,
    MessageTakenBack,
    QuestionCancelled,
    QuestionOpened,
    RunEnded,
    StateKept,
    StepBegun,
    StepFinished,
    TurnBegun,
    bytes_of,
)
from hosting.domain.run import Ending
from hosting.domain.step import StepKey, StepKind
from hosting.ports.history import CompactHistory, DiscardMessage
from hosting.ports.units import (
    BeginStep,
    BeginTurn,
    CloseMessage,
    EndRun,
    FinishStep,
    KeepState,
    OpenInteraction,
    OpenMessage,
    RunChange,
    SettleInteraction,
    Unit,
)
from hosting.runtime.client_tool_calls import CLIENT_TOOLS, decode_client_tools
from hosting.runtime.compacted import COMPACTED, read_compacted
from hosting.runtime.core import Runtime
from hosting.runtime.finish import WORK_STATE, promotion, work_ended
from hosting.services.fleet.remote_known import PERMISSION, Known
from hosting.services.fleet.remote_runs import Mark, RemoteRun, state_name
from middleware.errors import sentence_of

_NOT_OF_RUNS: Final = (
    branches.BranchCreated,
    branches.BranchMetadataUpdated,
    branches.MessageStarted,
    branches.ContentAdded,
    branches.MessageCompleted,
    tree.BranchForked,
    tree.BranchTreeUpdated,
    runs.BranchRunStarted,
    runs.BranchRunCompleted,
    queue.BranchQueueUpdated,
    work.WorkClaimed,
    work.WorkReturned,
    work.WorkProgress,
    work.WorkActivity,
    work.InterviewCompleted,
    interactions.AgentRequestExpired,
    interactions.AgentResponseRejected,
    control.StreamReset,
    control.StreamClosing,
    Response,
)
_OF_MESSAGES: Final = (
    text.TextMessageStart,
    text.TextDelta,
    text.TextMessageEnd,
    text.ReasoningMessageStart,
    text.ReasoningDelta,
    text.ReasoningMessageEnd,
    tools.ToolCallStart,
)
_OF_AGENTS: Final = "agent:"
_MOST_DEPTH: Final = 64
_MOST_ITERATIONS: Final = 2**31


class BatchReader:
    """Reads one batch for a run; what it finds to be wrong is refused before anything is written."""

    def __init__(self, runtime: Runtime, run: RemoteRun, batch: Batch, known: Known) -> None:
        self._runtime = runtime
        self._run = run
        self._batch = batch
        self._known = known
        self._live = set(run.unended)
        self._ended_here: set[str] = set()
        self._back: set[str] = set()
        self._now: datetime = runtime.clock()
        self._stamp = Stamp(run.item.scope.session_id, run.item.scope.branch_id).at(self._now)
        self._input = {message.id for message in run.lease.input}
        self.opened = {change.message_id for change in batch.changes if isinstance(change, MessageOpened)}
        self.closed = {
            change.message_id
            for change in batch.changes
            if isinstance(change, MessageClosed) and change.state is not MessageState.CALLING
        }
        self.begun = {change.place for change in batch.changes if isinstance(change, StepBegun)}
        self.begins = any(isinstance(change, TurnBegun) for change in batch.changes)
        self.order = run.order and run.order.copy()

    def unit(self) -> Unit:
        """Return what the batch becomes.

        Raises:
            InvalidRequest: a run may not say this.
        """
        item, batch = self._run.item, self._batch
        events = [self._decoded(index, bytes(raw)) for index, raw in enumerate(batch.events)]
        self._check_shape(events)
        self._check_order(events)
        asked = {change.event: change for change in batch.changes if isinstance(change, QuestionOpened)}
        encoded = [self._encoded(event, asked.get(index)) for index, event in enumerate(events)]
        unit = Unit(item.scope.tenant, item.branch_key, item.run_id, self._run.lease.fence, events=encoded)
        for change in batch.changes:
            unit.changes += self._changes(change, events, encoded)
        if not batch.cancels:
            unit.changes.append(self._mark())
        if batch.ends is not None:
            encoded.append(self._completed(batch.ends))
        return unit

    def _decoded(self, index: int, raw: bytes) -> Event:
        place = f"at `$.events[{index}]`"
        try:
            event = self._runtime.serializer.decode(raw)
        except EnvelopeRefused as error:
            raise InvalidRequest(f"This is no event: {error} - {place}.") from error
        if event is None:
            raise InvalidRequest(f"The server does not know this type of event; it must be registered there - {place}.")
        name = self._runtime.serializer.catalog.name_of(type(event))
        if isinstance(event, _NOT_OF_RUNS):
            raise InvalidRequest(f"{name} is the server's to tell, not a worker's - {place}.")
        if getattr(event, "runtime_run_id", self._run.item.run_id) != self._run.item.run_id:
            raise InvalidRequest(f"This {name} is of another run - {place}.")
        if isinstance(event, _OF_MESSAGES) and event.message_id not in self._run.unended | self.opened:
            raise InvalidRequest(f"This {name} is of a message that the run has not begun, or has ended - {place}.")
        if (wrong := _unreadable(event)) is not None:
            raise InvalidRequest(f"{wrong} - {place}.")
        return event

    def _check_shape(self, events: Sequence[Event]) -> None:
        changes = self._batch.changes
        asked = sorted(change.event for change in changes if isinstance(change, QuestionOpened))
        asking = {index: event.request_key for index, event in enumerate(events) if isinstance(event, Request)}
        _check(asked == list(asking), "Each request among the events needs its openInteraction, and the reverse.")
        _check(len(set(asking.values())) == len(asking), "Two requests of a batch have the same id.")
        _check(not (asked and self._batch.ends), "A run that ends asks nothing more.")
        compacted = [change for change in changes if isinstance(change, HistoryCompacted)]
        told_of = [event for event in events if isinstance(event, BranchHistoryCompacted)]
        _check(len(compacted) == len(told_of) <= 1, "BRANCH_HISTORY_COMPACTED and compactHistory go together, once.")
        cancelled = [change.request_id for change in changes if isinstance(change, QuestionCancelled)]
        told = [event.request_id for event in events if isinstance(event, interactions.AgentRequestCancelled)]
        is_alone = not cancelled or (len(changes) == 1 and len(events) == len(told))
        if not is_alone or told not in ([], cancelled):
            raise InvalidRequest("A batch with cancelInteraction has nothing else but the event that tells of it.")
        begun = [_begun(change) for change in changes]
        if len(begun) - begun.count(None) > len(set(begun) - {None}):
            raise InvalidRequest("A batch begins a turn, a message or a step once, and ends a run once.")
        if self._batch.ends is not None and (self._run.unended | self.opened) - self.closed:
            raise InvalidRequest("A run that ends has ended its messages.")

    def _check_order(self, events: Sequence[Event]) -> None:
        if self.order is None:
            return
        self.order.root = next(
            (change.turn_id for change in self._batch.changes if isinstance(change, TurnBegun)), self.order.root
        )
        for event in events:
            self.order.check(event)
            self.order.see(event)
        if self._batch.ends is not None:
            _check(not self.order.is_open, "A run that ends has ended its turn, and what it says and calls in it.")

    def _encoded(self, event: Event, asked: QuestionOpened | None) -> Encoded:
        if asked is not None:
            expires_at = None if asked.seconds is None else self._now + timedelta(seconds=asked.seconds)
            event = msgspec.structs.replace(event, expires_at=expires_at)
        return self._runtime.serializer.encode(event, self._stamp)

    def _changes(
        self, change: Change, events: Sequence[Event], encoded: Sequence[Encoded]
    ) -> Iterator[RunChange | SettleInteraction]:
        run_id = self._run.item.run_id
        match change:
            case TurnBegun():
                _check(not self._run.begun, "The turn of this run has begun before.")
                yield BeginTurn(run_id, _name(change.turn_id), _name(change.trace_id))
            case MessageOpened():
                is_new = change.message_id not in self._run.unended | self._input | self._run.said
                _check(is_new, "A message with this id was begun before.")
                _check(is_client_id(change.message_id), "This is no id of a message.")
                self._live.add(change.message_id)
                yield OpenMessage(run_id, change.message_id)
            case MessageClosed():
                yield self._close(change)
            case MessageTakenBack():
                yield self._take_back(change)
            case HistoryCompacted():
                yield self._compact(change, events)
            case StepBegun():
                yield self._step(change)
            case StepFinished():
                _check(change.place in self._run.steps | self.begun, f"Step {change.place!r} was not begun.")
                yield FinishStep(run_id, change.place, bytes(change.result))
            case QuestionOpened():
                yield self._question(change, events[change.event], encoded[change.event])
            case QuestionCancelled():
                yield SettleInteraction(change.request_id, InteractionState.CANCELLED)
            case StateKept():
                yield self._kept(change)
            case RunEnded():
                yield from self._end(change)

    def _step(self, change: StepBegun) -> BeginStep:
        _check(change.place not in self._run.steps, f"Step {change.place!r} was begun before.")
        key = StepKey(_name(change.place), StepKind(change.kind), _name(change.name), _name(change.arguments_hash))
        return BeginStep(self._run.item.run_id, key, change.flow and _name(change.flow))

    def _take_back(self, change: MessageTakenBack) -> DiscardMessage:
        ended = (self._known.taken_back | self._ended_here) - self._back
        _check(change.message_id in ended, "This is no ended message of the run.")
        self._back.add(change.message_id)
        return DiscardMessage(change.message_id)

    def _compact(self, change: HistoryCompacted, events: Sequence[Event]) -> CompactHistory:
        told = [event.durable_compacted_message_ids for event in events if isinstance(event, BranchHistoryCompacted)]
        _check(told == [change.removed], "BRANCH_HISTORY_COMPACTED tells of the messages that are removed.")
        removed = set(change.removed)
        in_order = tuple(message_id for message_id in self._known.before if message_id in removed)
        _check(in_order == change.removed, "These are no messages from before the run, in their order.")
        if change.summary_id is None:
            return CompactHistory(change.removed)
        is_new = change.summary_id not in {*self._known.before, *self._input}
        fits = is_new and is_summary(change.summary_id) and is_client_id(change.summary_id)
        _check(fits and len(change.contents) > 0, "This is no summary.")
        return CompactHistory(change.removed, Message(change.summary_id, text.Role.SYSTEM, change.contents))

    def _kept(self, change: StateKept) -> KeepState:
        if change.name == CLIENT_TOOLS:
            _check(not change.of_session, "The client's tools are kept with the branch.")
            _check(_are_client_tools(bytes_of(change.value)), "These are no client's tools as they are kept.")
        elif change.name == COMPACTED:
            _check(not change.of_session, "What gave way is kept with the branch.")
            _check(_is_compacted(bytes_of(change.value)), "This is no compaction as it is kept.")
        elif change.name.startswith(PERMISSION):
            choices = {b"true": True, b"false": False}
            choice = change.name.removeprefix(PERMISSION), choices.get((bytes_of(change.value) or b"").strip())
            _check(change.of_session and choice in self._known.chosen, "Nobody has said so of this tool to this run.")
        else:
            _check(change.name.startswith(_OF_AGENTS), "This is no name of an agent's.")
        scope, value = self._run.item.scope, bytes_of(change.value)
        return KeepState(scope, of_branch=not change.of_session, name=_name(change.name), value=value)

    def _close(self, change: MessageClosed) -> CloseMessage:
        _check(change.message_id in self._live, "This is no message that the run has begun and not ended.")
        _check(change.state is not MessageState.OPEN, "A message that is closed is open no more.")
        if change.state is not MessageState.CALLING:
            self._live.discard(change.message_id)
        if change.state.is_ended:
            self._ended_here.add(change.message_id)
        return CloseMessage(
            Message(change.message_id, text.Role.ASSISTANT, change.contents, change.state, self._run.item.run_id)
        )

    def _question(self, change: QuestionOpened, request: Event, encoded: Encoded) -> OpenInteraction:
        item, catalog = self._run.item, self._runtime.serializer.catalog
        answer = catalog.named(change.response_type)
        _check(answer is not None and issubclass(answer, Response), "The server knows no such type of answer.")
        # For the type checker; `_check_shape` has seen that it is one.
        if (
            not isinstance(request, Request)
            or not is_client_id(request.request_key)
            or not is_name(request.source_name)
        ):
            raise InvalidRequest("The id of a request or its source name cannot be stored.")
        interaction = Interaction(
            id=request.request_key,
            branch_key=item.branch_key,
            scope=item.scope,
            run_id=item.run_id,
            agent_id=item.agent_id,
            place=_name(change.place),
            request_type=catalog.name_of(type(request)),
            response_type=change.response_type,
            source_name=request.source_name,
            state=InteractionState.OPEN,
            seq=0,
            requested_at=self._now,
            expires_at=None if change.seconds is None else self._now + timedelta(seconds=change.seconds),
        )
        return OpenInteraction(interaction, encoded, change.seconds)

    def _end(self, said: RunEnded) -> Iterator[RunChange]:
        _check(said.status in WORK_STATE, "A run ends as completed, failed or cancelled.")
        ending = Ending(
            RunStatus(said.status), _bounded(said.error_type), _bounded(said.error_message), _bounded(said.reason)
        )
        yield from work_ended(self._run.lease.run, ending, self._now)
        yield EndRun(
            self._run.item.run_id, ending, self._now, self._runtime.holder, promotion(self._runtime, self._now)
        )

    def _completed(self, said: RunEnded) -> Encoded:
        item = self._run.item
        event = BranchRunCompleted(
            runtime_run_id=item.run_id,
            agent_id=item.agent_id,
            status=said.status,
            cancelled=said.status is RunStatus.CANCELLED,
            completed_at=self._now,
            error_type=_bounded(said.error_type),
            error_message=_bounded(said.error_message),
            reason=_bounded(said.reason),
        )
        return self._runtime.serializer.encode(event, self._stamp)

    def _mark(self) -> KeepState:
        item = self._run.item
        kept = msgspec.json.encode(Mark(item.claim, self._batch.batch))
        # What has ended takes no batch any more.
        return KeepState(item.scope, True, state_name(item.id), None if self._batch.ends else kept)


def _begun(change: Change) -> tuple[str, str] | None:
    """Return what can be said once, if a change is that."""
    match change:
        case MessageOpened():
            return "message", change.message_id
        case StepBegun():
            return "step", change.place
        case TurnBegun() | RunEnded():
            return type(change).__name__, ""
    return None


def _unreadable(event: Event) -> str | None:
    """Return what is wrong with an event that whoever goes on with the run could not read."""
    if isinstance(event, tools.ToolCallArgs):
        try:
            strict.members(strict.mended(event.args_json.encode()))
        except strict.BodyRefused as error:
            return f"`argsJson` must be a JSON object: {error}"
    if isinstance(event, turns.MessageTurnStarted) and event.metadata is not None:
        depth, chain = event.metadata.get("depth"), event.metadata.get("agentChain")
        if type(depth) is not int or not 1 <= depth <= _MOST_DEPTH:
            return f"`metadata.depth` of a turn inside of another must be from 1 to {_MOST_DEPTH}"
        if not isinstance(chain, list) or not all(isinstance(name, str) for name in chain):
            return "`metadata.agentChain` must be a list of names"
    if isinstance(event, turns.AgentTurnStarted) and not 0 <= event.iteration <= _MOST_ITERATIONS:
        return f"`iteration` must be from 0 to {_MOST_ITERATIONS}"
    return None


def _are_client_tools(kept: bytes | None) -> bool:
    try:
        decode_client_tools(kept)
    except msgspec.DecodeError:
        return False
    return True


def _is_compacted(kept: bytes | None) -> bool:
    try:
        read_compacted(kept)
    except msgspec.DecodeError:
        return False
    return True


def _bounded(said: str | None) -> str | None:
    return None if said is None else sentence_of(ValueError(said), "")


def _check(is_so: bool, otherwise: str) -> None:  # noqa: FBT001
    if not is_so:
        raise InvalidRequest(otherwise)


def _name(text_given: str) -> str:
    _check(is_name(text_given), "A name holds a NUL, which cannot be stored.")
    return text_given
