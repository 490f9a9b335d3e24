"""A work item as workers of both dialects read it."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from hosting.domain.message import Message
from hosting.domain.work_item import WorkItem
from hosting.ports.work import Claim


class WorkView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An item; `queuedAt` is milliseconds since 1970, and `priority` counts from 1, the most urgent.

    `prompt` and `body` are what the user says; `sourceSessionId` is the conversation's session, and `issueId` names the
    branch of it. With `providerSessionId` the provider's session of the run before is meant to go on.
    """

    session_id: str
    issue_id: str
    issue_identifier: str
    priority: int
    queued_at: int
    prompt: str
    body: str
    work_type: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    provider_session_id: str | UnsetType = UNSET
    source_session_id: str
    organization_id: str
    agent_id: str
    agent_name: str

    @classmethod
    def of(cls, claim: Claim) -> "WorkView":
        """Show an item to the worker that has it now."""
        return cls.shown(claim.item, claim.lease.input)

    @classmethod
    def shown(cls, item: WorkItem, said: Sequence[Message]) -> "WorkView":
        """Show an item with what its agent was asked."""
        prompt = "\n\n".join(message.text for message in said if message.text)
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
            provider_session_id=item.report.provider_session_id or item.continues or UNSET,
            source_session_id=item.scope.session_id,
            organization_id=item.scope.tenant,
            agent_id=item.agent_id,
            agent_name=item.agent_name,
        )
