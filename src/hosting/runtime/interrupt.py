"""Interrupting the active run of a branch, or nested work in it."""

from dataclasses import dataclass
from typing import Final

from events.ids import RunId
from events.interruption import InterruptionRequest, InterruptionSource
from events.position import Position
from events.runs import RunStatus
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, RunNotActive
from hosting.domain.interrupt import Interrupt
from hosting.domain.keyed_errors import RequestRepeated
from hosting.ports.units import AskForInterrupt, Committed, Refusal, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.keyed import Keyed, record_of

_REASON: Final = "Interrupted by client."
_LONGEST_REASON: Final = 4_000


@dataclass(frozen=True, slots=True)
class Interrupting:
    """An interrupt that was accepted; following from `position` shows what comes of it."""

    run_id: RunId
    status: RunStatus
    position: Position


async def interrupt_run(
    runtime: Runtime, branch: Branch, wish: InterruptionRequest, keyed: Keyed[Interrupting] | None = None
) -> Interrupting:
    """Ask for the end of the branch's active run, or of the flow in it that the wish names.

    When this returns the wish is stored: whoever holds the run, now or after a crash, heeds it.

    Raises:
        RunNotActive: no run is active, or it has no such flow.
        RequestRepeated: it was asked for before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    active = await runtime.tenant(branch.scope.tenant).active_run(branch.key)
    if active is None:
        raise RunNotActive(branch.scope.branch_id)
    reason = (wish.reason or "").strip()[:_LONGEST_REASON] or _REASON
    flow = None if wish.event_flow_id == active.turn_id else wish.event_flow_id
    interrupt = Interrupt(active.id, reason, InterruptionSource.USER, flow)
    unit = Unit(branch.scope.tenant, branch.key, changes=[AskForInterrupt(interrupt)])
    unit.record = record_of(keyed, lambda before: Interrupting(active.id, active.status, before))
    outcome = await runtime.writer.append_to(unit)
    if outcome is Refusal.REQUEST_REPEATED:
        raise RequestRepeated
    if outcome is Refusal.RUN_NOT_ACTIVE:
        raise RunNotActive(branch.scope.branch_id, wish.event_flow_id)
    if not isinstance(outcome, Committed):
        raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)
    runtime.wakes.interrupted(interrupt)
    return Interrupting(active.id, active.status, outcome.before)
