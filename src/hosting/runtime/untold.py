"""Beginning a run with what users have said to a worker that has never heard it."""

from collections.abc import Sequence
from typing import Final

from events.ids import AgentId, MessageId
from events.runs import BranchRunStarted
from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.inbox_message import InboxMessage
from hosting.domain.lease import Lease
from hosting.domain.run import Run
from hosting.domain.work_item import WorkItem
from hosting.ports.units import Committed, StartRun, Unit
from hosting.ports.words import PassOn
from hosting.runtime.configuration import check_configuration
from hosting.runtime.core import Runtime
from hosting.runtime.new_run import new_run

_NO_CONFIG: Final = b"{}"


async def begin_with_untold(runtime: Runtime, item: WorkItem, words: Sequence[InboxMessage]) -> bool:
    """Begin a run of the item's agent with what its worker was not told; False when that cannot be now.

    The messages are part of the conversation since they were accepted, and stay where they are in it.

    Raises:
        AgentMissing, ConfigRefused, RunConfigRefused, InvalidInput: the agent is not there any more, or not as it was.
        StorageUnavailable: nothing was stored, or that is not known.
    """
    scope = item.scope
    branch = await runtime.tenant(scope.tenant).branch(scope.session_id, scope.branch_id)
    said = [MessageId(each.turn_id) for each in words if each.turn_id is not None]
    if branch is None or not said or runtime.rings.closing is not None:
        return False
    unit, run = await _unit(runtime, branch, item, words, said)
    outcome = await runtime.writer.append_to(unit)
    if not isinstance(outcome, Committed):
        # The branch is taken again, or another server was faster.
        return False
    if run.work_item is None:
        known = {message.id: message for message in await runtime.run_reads.messages(branch.key)}
        messages = tuple(known[each] for each in said if each in known)
        runtime.hold(Lease(run, messages, runtime.holder.node, outcome.fence, attempt=1))
    return True


async def _unit(
    runtime: Runtime, branch: Branch, item: WorkItem, words: Sequence[InboxMessage], said: Sequence[MessageId]
) -> tuple[Unit, Run]:
    scope, agent_id = branch.scope, AgentId(item.agent_id)
    engaged = await runtime.agents.engage(scope.tenant, agent_id)
    await check_configuration(runtime, branch, agent_id, engaged, _NO_CONFIG)
    run_id, now = runtime.ids.run(), runtime.clock()
    run, offer = new_run(runtime, branch, agent_id, engaged, run_id=run_id, said=said, config=_NO_CONFIG, now=now)
    started = BranchRunStarted(runtime_run_id=run_id, agent_id=agent_id, started_at=now, message_id=run.message_id)
    unit = Unit(
        tenant=scope.tenant,
        branch_key=branch.key,
        run_id=run_id,
        changes=[
            StartRun(run, now, (), None if offer else runtime.holder, offer),
            PassOn(run_id, item.id, [each.id for each in words], said),
        ],
        events=[runtime.serializer.encode(started, Stamp(scope.session_id, scope.branch_id).at(now))],
    )
    return unit, run
