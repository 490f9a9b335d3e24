"""What a run's unit changes beside its events, many units in one statement."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update

from hosting.adapters.sql.compaction import compact_history
from hosting.adapters.sql.contents import encode_contents
from hosting.adapters.sql.inbox_rows import ADD_INBOX_MESSAGE, inbox_row
from hosting.adapters.sql.interactions import OPEN_INTERACTION, open_row
from hosting.adapters.sql.kept_state import keep_states
from hosting.adapters.sql.routing_rows import observe_all
from hosting.adapters.sql.tables import NO_CONFIG, interrupts, leases, messages, runs, steps
from hosting.adapters.sql.times import to_ticks
from hosting.adapters.sql.work_items import apply_work
from hosting.domain.message import MessageState
from hosting.domain.scope import BranchKey
from hosting.ports.history import CompactHistory, DiscardMessage
from hosting.ports.results import Observe
from hosting.ports.units import (
    BeginStep,
    BeginTurn,
    CloseMessage,
    EndRun,
    EndWork,
    FinishStep,
    KeepState,
    OpenInteraction,
    OpenMessage,
    ReturnWork,
    RunChange,
    Unit,
    UpdateWork,
)
from hosting.ports.words import TellWorker

_Rows = list[dict[str, Any]]

_LONG_TEXT = 1024
"""Characters."""

_BEGIN_TURN = (
    update(runs).where(runs.c.id == bindparam("run")).values(turn_id=bindparam("turn"), trace_id=bindparam("trace"))
)
_CLOSE_MESSAGE = (
    update(messages)
    .where(messages.c.branch_key == bindparam("branch"), messages.c.id == bindparam("message"))
    .values(state=bindparam("new_state"), contents=bindparam("new_contents"))
)
_DISCARD_MESSAGE = (
    update(messages)
    .where(messages.c.branch_key == bindparam("branch"), messages.c.id == bindparam("message"))
    .values(state=MessageState.DISCARDED)
)
_FINISH_STEP = (
    update(steps)
    .where(steps.c.run_id == bindparam("run"), steps.c.place == bindparam("at_place"))
    .values(result=bindparam("outcome"))
)
_END_RUN = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        status=bindparam("new_status"),
        completed_at=bindparam("at"),
        error_type=bindparam("failure"),
        error_message=bindparam("sentence"),
        # Perhaps it had a client's key; nothing begins the run again that would need it.
        config=NO_CONFIG,
    )
)
_DROP_LEASE = delete(leases).where(leases.c.run_id == bindparam("run"))
_DROP_INTERRUPTS = delete(interrupts).where(interrupts.c.run_id == bindparam("run"))


def apply_run_changes(connection: Connection, units: Collection[Unit], firsts: Mapping[BranchKey, int]) -> None:
    """Apply the changes of units whose fences hold, kind by kind in the order in which kinds depend on each other.

    What routers learn is left to the end of the transaction, see `learn_from`.
    `firsts` has the number of each unit's first event.
    """
    rows: dict[type, _Rows] = defaultdict(list)
    kept: list[tuple[Unit, KeepState]] = []
    for unit in units:
        for change in unit.changes:
            if isinstance(change, KeepState):
                kept.append((unit, change))
            elif isinstance(change, UpdateWork | ReturnWork | EndWork):
                apply_work(connection, change)
            elif isinstance(change, CompactHistory):
                compact_history(connection, unit, change)
            elif isinstance(change, OpenInteraction):
                rows[OpenInteraction].append(open_row(unit, change, firsts[unit.branch_key]))
            elif not isinstance(change, Observe):
                rows[type(change)].append(_ROW_OF[type(change)](unit, change))
    keep_states(connection, kept)
    for kind, statements in _STATEMENTS.items():
        if rows[kind]:
            for statement in statements:
                connection.execute(statement, rows[kind])
    _drop_leases(connection, units)


def learn_from(connection: Connection, units: Iterable[Unit]) -> None:
    """Let routers learn what the runs of units have come to; the last that a transaction does.

    Runs of many branches move the same arms: who holds one must not wait for a branch.
    """
    observe_all(
        connection, [change.observation for unit in units for change in unit.changes if isinstance(change, Observe)]
    )


def _drop_leases(connection: Connection, units: Collection[Unit]) -> None:
    changes = (change for unit in units for change in unit.changes)
    given_up = [change.run_id for change in changes if isinstance(change, EndRun | ReturnWork)]
    if given_up:
        # In the order in which leases are renewed, or the two could wait for each other.
        connection.execute(_DROP_LEASE, [{"run": run_id} for run_id in sorted(given_up)])


def messages_ended(unit: Unit) -> int:
    """Count the messages that a unit adds to the conversation, less those that it takes back."""
    ended = sum(isinstance(change, CloseMessage) and change.message.state.is_ended for change in unit.changes)
    compacted = [change for change in unit.changes if isinstance(change, CompactHistory)]
    ended -= sum(len(change.removed) - (change.by is not None) for change in compacted)
    return ended - sum(isinstance(change, DiscardMessage) for change in unit.changes)


def is_to_be_folded(unit: Unit) -> bool:
    """Say whether what its branch has is to be stored smaller: a run has ended, or a message that came in many deltas.

    A run may work for hours, or wait for days.
    """
    return any(
        isinstance(change, EndRun) or (isinstance(change, CloseMessage) and _is_long(change)) for change in unit.changes
    )


def _is_long(change: CloseMessage) -> bool:
    texts = (getattr(content, "text", "") for content in change.message.contents)
    return sum(map(len, texts)) >= _LONG_TEXT


def _begin_turn(unit: Unit, change: BeginTurn) -> dict[str, Any]:
    return {"run": change.run_id, "turn": change.turn_id, "trace": change.trace_id}


def _open_message(unit: Unit, change: OpenMessage) -> dict[str, Any]:
    return {
        "tenant": unit.tenant,
        "branch_key": unit.branch_key,
        "id": change.message_id,
        "run_id": change.run_id,
        "role": "assistant",
        "state": MessageState.OPEN,
        "contents": b"[]",
    }


def _close_message(unit: Unit, change: CloseMessage) -> dict[str, Any]:
    message = change.message
    return {
        "branch": unit.branch_key,
        "message": message.id,
        "new_state": message.state,
        "new_contents": encode_contents(message.contents),
    }


def _discard_message(unit: Unit, change: DiscardMessage) -> dict[str, Any]:
    return {"branch": unit.branch_key, "message": change.message_id}


def _begin_step(unit: Unit, change: BeginStep) -> dict[str, Any]:
    key = change.key
    return {
        "run_id": change.run_id,
        "place": key.place,
        "tenant": unit.tenant,
        "kind": key.kind,
        "name": key.name,
        "arguments_hash": key.arguments_hash,
        "flow": change.flow,
        "agent_version": change.agent_version,
    }


def _finish_step(unit: Unit, change: FinishStep) -> dict[str, Any]:
    return {"run": change.run_id, "at_place": change.place, "outcome": change.result}


def _end_run(unit: Unit, change: EndRun) -> dict[str, Any]:
    ending = change.ending
    return {
        "run": change.run_id,
        "new_status": ending.status,
        "at": to_ticks(change.completed_at),
        "failure": ending.error_type,
        "sentence": ending.error_message,
    }


def _tell_worker(unit: Unit, change: TellWorker) -> dict[str, Any]:
    return inbox_row(unit.tenant, change.message)


_ROW_OF: Mapping[type, Callable[[Unit, Any], dict[str, Any]]] = {
    BeginTurn: _begin_turn,
    OpenMessage: _open_message,
    CloseMessage: _close_message,
    DiscardMessage: _discard_message,
    BeginStep: _begin_step,
    FinishStep: _finish_step,
    TellWorker: _tell_worker,
    EndRun: _end_run,
}

_STATEMENTS: Mapping[type[RunChange], Sequence[Any]] = {
    BeginTurn: (_BEGIN_TURN,),
    BeginStep: (insert(steps),),
    OpenMessage: (insert(messages),),
    CloseMessage: (_CLOSE_MESSAGE,),
    DiscardMessage: (_DISCARD_MESSAGE,),
    FinishStep: (_FINISH_STEP,),
    OpenInteraction: (OPEN_INTERACTION,),
    TellWorker: (ADD_INBOX_MESSAGE,),
    EndRun: (_END_RUN, _DROP_INTERRUPTS),
}
