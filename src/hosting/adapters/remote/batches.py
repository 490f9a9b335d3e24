"""Units as they go over the wire."""

from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec import Raw

from events.serializer import Encoded
from hosting.domain.interaction import InteractionState
from hosting.domain.remote_batch import (
    MOST_IN_A_BATCH,
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
    raw_of,
)
from hosting.ports.history import CompactHistory, DiscardMessage
from hosting.ports.units import (
    BeginStep,
    BeginTurn,
    CloseMessage,
    EndRun,
    FinishStep,
    GuardedChange,
    KeepState,
    OpenInteraction,
    OpenMessage,
    RunChange,
    SettleInteraction,
    Unit,
)

T = TypeVar("T")

_Change = GuardedChange | RunChange

_PLACE: Final = b',"eventId":"'
_BEGINNINGS: Final = (BeginTurn, OpenMessage, BeginStep)


def batches_of(unit: Unit, *, claim: int, first: int, worker_id: str) -> list[Batch]:
    """Return what a unit is on the wire: one batch, or several, numbered from `first`, when it is larger than one.

    What begins comes before the events of all of them, what ends comes behind: if the last is never written, the run
    was cut in between.

    Raises:
        TypeError: it has a change that only a node at the database can make.
    """
    ends = any(isinstance(change, EndRun) for change in unit.changes)
    # The server tells of the end itself, in its own words and behind everything else.
    events = unit.events[:-1] if ends else unit.events
    return [
        Batch(
            claim=claim,
            batch=number,
            changes=[_change(change, told) for change in changes],
            events=[Raw(_without_place(event)) for event in told],
            worker_id=worker_id,
        )
        for number, (changes, told) in enumerate(_pieces(unit.changes, events), first)
    ]


def _pieces(changes: Sequence[_Change], events: Sequence[Encoded]) -> list[tuple[list[_Change], list[Encoded]]]:
    if max(len(changes), len(events)) <= MOST_IN_A_BATCH:
        return [(list(changes), list(events))]
    asking = {id(change.request): change for change in changes if isinstance(change, OpenInteraction)}
    begin: list[_Change] = [change for change in changes if isinstance(change, _BEGINNINGS)]
    end: list[_Change] = [change for change in changes if not isinstance(change, (*_BEGINNINGS, OpenInteraction))]
    pieces: list[tuple[list[_Change], list[Encoded]]] = [(piece, []) for piece in _cut(begin)]
    for told in _cut(list(events)):
        pieces.append(([asking[id(event)] for event in told if id(event) in asking], told))
    pieces += [(piece, []) for piece in _cut(end)]
    return pieces


def _cut(whole: list[T]) -> list[list[T]]:
    return [whole[start : start + MOST_IN_A_BATCH] for start in range(0, len(whole), MOST_IN_A_BATCH)]


def _without_place(event: Encoded) -> bytes:
    return b"%b,%b" % (event.head.removesuffix(_PLACE), event.rest)


def _change(change: _Change, events: Sequence[Encoded]) -> Change:  # noqa: PLR0911 - one each
    match change:
        case BeginTurn():
            return TurnBegun(turn_id=change.turn_id, trace_id=change.trace_id)
        case OpenMessage():
            return MessageOpened(message_id=change.message_id)
        case CloseMessage():
            message = change.message
            return MessageClosed(message_id=message.id, state=message.state, contents=message.contents)
        case DiscardMessage():
            return MessageTakenBack(message_id=change.message_id)
        case CompactHistory():
            return _compacted(change)
        case BeginStep():
            return _step(change)
        case FinishStep():
            return StepFinished(place=change.place, result=Raw(change.result))
        case OpenInteraction():
            return _question(change, events)
        case KeepState():
            return StateKept(name=change.name, of_session=not change.of_branch, value=raw_of(change.value))
        case SettleInteraction() if change.state is InteractionState.CANCELLED:
            return QuestionCancelled(request_id=change.request_id)
        case EndRun():
            return _end(change)
    raise TypeError(f"A worker cannot make the change {type(change).__name__}.")


def _compacted(change: CompactHistory) -> HistoryCompacted:
    if change.by is None:
        return HistoryCompacted(removed=change.removed)
    return HistoryCompacted(removed=change.removed, summary_id=change.by.id, contents=change.by.contents)


def _step(change: BeginStep) -> StepBegun:
    key = change.key
    return StepBegun(place=key.place, kind=key.kind, name=key.name, arguments_hash=key.arguments_hash, flow=change.flow)


def _question(change: OpenInteraction, events: Sequence[Encoded]) -> QuestionOpened:
    index = next(index for index, event in enumerate(events) if event is change.request)
    asked = change.interaction
    return QuestionOpened(event=index, place=asked.place, response_type=asked.response_type, seconds=change.seconds)


def _end(change: EndRun) -> RunEnded:
    ending = change.ending
    return RunEnded(
        status=ending.status,
        error_type=ending.error_type,
        error_message=ending.error_message,
        reason=ending.reason,
    )
