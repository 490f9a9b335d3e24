"""A work item as workers of both dialects read it."""

from msgspec import UNSET, Struct, UnsetType

from hosting.domain.work_item import WorkItem
from hosting.ports.work import Claim


class WorkView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An item; `queuedAt` is milliseconds since 1970, and `priority` counts from 1, the most urgent."""

    session_id: str
    issue_id: str
    issue_identifier: str
    priority: int
    queued_at: int
    prompt: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    work_type: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    provider_session_id: str | UnsetType = UNSET
    organization_id: str
    agent_id: str
    agent_name: str

    @classmethod
    def of(cls, claim: Claim) -> "WorkView":
        """Show an item to the worker that has it now."""
        return cls.shown(claim.item, claim.lease.input[-1].text if claim.lease.input else "")

    @classmethod
    def shown(cls, item: WorkItem, prompt: str) -> "WorkView":
        """Show an item with what its agent was asked."""
        return cls(
            session_id=item.id,
            issue_id=item.issue_id,
            issue_identifier=item.issue_id,
            priority=item.terms.priority,
            queued_at=int(item.queued_at.timestamp() * 1000),
            prompt=prompt,
            body=prompt,
            work_type=item.terms.work_type or UNSET,
            project_name=item.terms.project or UNSET,
            provider_session_id=item.report.provider_session_id or UNSET,
            organization_id=item.scope.tenant,
            agent_id=item.agent_id,
            agent_name=item.agent_name,
        )
