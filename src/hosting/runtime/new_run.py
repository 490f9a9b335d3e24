"""A run before it has begun."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from events.ids import AgentId, MessageId, RunId
from events.runs import RunStatus
from hosting.domain.branch import Branch
from hosting.domain.run import Run
from hosting.domain.work_item import Offer, WorkItemId
from hosting.runtime.agents import Engaged
from hosting.runtime.core import Runtime


def new_run(
    runtime: Runtime,
    branch: Branch,
    agent_id: AgentId,
    engaged: Engaged,
    *,
    run_id: RunId,
    said: Sequence[MessageId],
    config: bytes,
    now: datetime,
    priority: int | None = None,
) -> tuple[Run, Offer | None]:
    """Return a run that answers what was said, one message at least, and how it is put on offer if workers do it.

    `priority` is what they are offered it with, if it is not as the agent's definition says.
    """
    offer = _offer(runtime, engaged, priority)
    run = Run(
        id=run_id,
        branch_key=branch.key,
        scope=branch.scope,
        agent_id=agent_id,
        message_id=said[-1],
        status=RunStatus.ACTIVE,
        started_at=now,
        input=msgspec.json.encode(said),
        config=config,
        agent_version=engaged.version,
        work_item=None if offer is None else offer.id,
    )
    return run, offer


def _offer(runtime: Runtime, engaged: Engaged, priority: int | None) -> Offer | None:
    terms = engaged.terms
    if terms is None:
        return None
    if priority is not None:
        terms = msgspec.structs.replace(terms, priority=priority)
    return Offer(WorkItemId(runtime.ids.work()), terms, engaged.name)
