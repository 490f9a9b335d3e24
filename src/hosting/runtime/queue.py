"""Taking a run out of the queue."""

from collections.abc import Sequence
from datetime import datetime

from events.event import Event
from events.queue import BranchQueueUpdated, QueueAction
from events.runs import BranchRunCompleted, RunStatus
from events.serializer import Encoded, Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import RunNotQueued
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Run
from hosting.ports.units import Committed, RemoveQueued, Tell, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.queue_items import queue_items

_REASON = "Removed from the queue."


async def remove_queued(runtime: Runtime, branch: Branch, run: Run) -> None:
    """Take a run out of the queue for good: it never runs, and is cancelled.

    Raises:
        RunNotQueued: it has started or ended.
        StorageUnavailable: nothing was stored.
    """
    now = runtime.clock()
    unit = Unit(
        branch.scope.tenant, branch.key, run.id, changes=[RemoveQueued(run.id, now, _telling(runtime, run, now))]
    )
    if not isinstance(await runtime.writer.append_to(unit), Committed):
        raise RunNotQueued(run.id)


def _telling(runtime: Runtime, run: Run, now: datetime) -> Tell:
    def tell(waiting: Sequence[QueuedRun]) -> list[Encoded]:
        events: list[Event] = [
            BranchQueueUpdated(action=QueueAction.REMOVED, runtime_run_id=run.id, items=queue_items(waiting)),
            BranchRunCompleted(
                runtime_run_id=run.id,
                agent_id=run.agent_id,
                status=RunStatus.CANCELLED,
                cancelled=True,
                completed_at=now,
                reason=_REASON,
            ),
        ]
        stamp = Stamp(run.scope.session_id, run.scope.branch_id).at(now)
        return [runtime.serializer.encode(event, stamp) for event in events]

    return tell
