"""A session as workers of both dialects read it (docs/reference/worker-protocol.md)."""

from datetime import datetime
from typing import Final, TypeVar

from msgspec import UNSET, Struct, UnsetType

from hosting.domain.work_item import WorkItem, WorkState

T = TypeVar("T")

_STATUS: Final = {WorkState.WAITING: "pending", WorkState.DEAD: "failed"}
"""Workers know fewer states than there are."""


class WorkSessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a session stands; times are milliseconds since 1970."""

    session_id: str
    linear_session_id: str
    tracker_session_id: str
    issue_id: str
    issue_identifier: str
    provider_session_id: str | None
    worktree_path: str
    status: str
    created_at: int
    updated_at: int
    queued_at: int
    claimed_at: int | UnsetType = UNSET
    worker_id: str | UnsetType = UNSET
    priority: int
    organization_id: str
    work_type: str | UnsetType = UNSET
    agent_id: str
    project_name: str | UnsetType = UNSET
    total_cost_usd: float | UnsetType = UNSET
    input_tokens: int | UnsetType = UNSET
    output_tokens: int | UnsetType = UNSET
    last_tool_name: str | UnsetType = UNSET
    last_tool_called_at: int | UnsetType = UNSET
    tool_call_count: int | UnsetType = UNSET
    external_urls: tuple[dict[str, str], ...] | UnsetType = UNSET
    error: str | UnsetType = UNSET

    @classmethod
    def of(cls, item: WorkItem, *, is_stopped: bool) -> "WorkSessionView":
        """Show an item; `is_stopped` says that somebody wants its end, whether it has come to that or not."""
        report = item.report
        return cls(
            session_id=item.id,
            linear_session_id=item.id,
            tracker_session_id=item.id,
            issue_id=item.issue_id,
            issue_identifier=item.issue_id,
            provider_session_id=report.provider_session_id,
            worktree_path=report.worktree_path or "",
            status=WorkState.STOPPED if is_stopped else _STATUS.get(item.state, item.state),
            created_at=_milliseconds(item.queued_at),
            updated_at=_milliseconds(item.updated_at),
            queued_at=_milliseconds(item.queued_at),
            claimed_at=UNSET if item.claimed_at is None else _milliseconds(item.claimed_at),
            worker_id=item.worker_id or UNSET,
            priority=item.terms.priority,
            organization_id=item.scope.tenant,
            work_type=item.terms.work_type or UNSET,
            agent_id=item.agent_id,
            project_name=item.terms.project or UNSET,
            total_cost_usd=_told(report.total_cost_usd),
            input_tokens=_told(report.input_tokens),
            output_tokens=_told(report.output_tokens),
            last_tool_name=_told(report.last_tool_name),
            last_tool_called_at=UNSET if (at := report.last_tool_called_at) is None else _milliseconds(at),
            tool_call_count=_told(report.tool_call_count),
            external_urls=report.external_urls or UNSET,
            error=_told(report.error),
        )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _told(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value
