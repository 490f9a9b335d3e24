"""Work that was given up, as an operator sees it."""

from msgspec import Struct

from events.ids import BranchId, RunId, SessionId


class DeadLetter(Struct, frozen=True, kw_only=True, rename="camel"):
    """A run that too many workers were lost with; `session_id` is what workers call it. Times are milliseconds."""

    session_id: str
    runtime_run_id: RunId
    source_session_id: SessionId
    branch_id: BranchId
    agent_id: str
    priority: int
    attempts: int
    reason: str
    queued_at: int
    given_up_at: int
    work_type: str | None = None
    project_name: str | None = None


class DeadLetters(Struct, frozen=True):
    """What was given up, the last first."""

    items: tuple[DeadLetter, ...]


class Requeued(Struct, frozen=True, kw_only=True, rename="camel"):
    """The new run of an input whose run was given up; following from `position` shows all of it."""

    session_id: str
    source_session_id: SessionId
    branch_id: BranchId
    runtime_run_id: RunId
    status: str
    position: str
