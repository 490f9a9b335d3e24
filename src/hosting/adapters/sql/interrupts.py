"""Wishes that a run, or something in it, should end."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from events.interruption import InterruptionSource
from events.runs import RunStatus
from events.serializer import Encoded
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.tables import branches, interrupts, runs, steps
from hosting.domain.interrupt import Interrupt
from hosting.ports.units import AskForInterrupt, Refusal, Unit

_WHOLE_RUN = ""

LOCK_BRANCH = select(branches.c.key).where(branches.c.key == bindparam("branch")).with_for_update()
_TURN = select(runs.c.turn_id).where(
    runs.c.id == bindparam("run"), runs.c.branch_key == bindparam("branch"), runs.c.status == RunStatus.ACTIVE
)
_NESTED = select(steps.c.place).where(
    steps.c.run_id == bindparam("run"), steps.c.flow == bindparam("flow"), steps.c.result.is_(None)
)
OF_RUNS = select(interrupts).where(interrupts.c.run_id.in_(bindparam("wanted", expanding=True)))


def ask_for_interrupt(connection: Connection, unit: Unit, change: AskForInterrupt) -> Refusal | Sequence[Encoded]:
    """Note a wish, unless the run has ended or never had that flow."""
    wish = change.interrupt
    # As the end of the run locks it: an interrupt that was accepted is never one of a run that had ended.
    connection.execute(LOCK_BRANCH, {"branch": unit.branch_key})
    run = connection.execute(_TURN, {"run": wish.run_id, "branch": unit.branch_key}).one_or_none()
    if run is None:
        return Refusal.RUN_NOT_ACTIVE
    flow = _WHOLE_RUN if wish.flow in {None, run.turn_id} else wish.flow
    if flow and connection.scalar(_NESTED, {"run": wish.run_id, "flow": flow}) is None:
        return Refusal.RUN_NOT_ACTIVE
    row = {
        "run_id": wish.run_id,
        "flow": flow,
        "tenant": unit.tenant,
        "reason": wish.reason,
        "source": wish.source,
    }
    connection.execute(insert_if_absent(connection.dialect.name, interrupts), row)
    return ()


def to_interrupt(row: Row[Any]) -> Interrupt:
    """Read a row of `interrupts`."""
    return Interrupt(row.run_id, row.reason, InterruptionSource(row.source), row.flow or None)
