"""What says that nothing has happened in a session for long, for statements that are about sessions."""

from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, or_, select

from events.runs import RunStatus
from hosting.adapters.sql.content_tables import contents
from hosting.adapters.sql.credential_tables import credentials
from hosting.adapters.sql.tables import branches, runs, sessions

WAITS: Final = (RunStatus.ACTIVE, RunStatus.QUEUED)

_TICKS_A_SECOND: Final = 1_000_000
# By another name: whoever asks may be looking at branches.
_own: Final = branches.alias("own_branches")
_BRANCHES: Final = select(_own.c.key).where(_own.c.tenant == sessions.c.tenant, _own.c.session_id == sessions.c.id)
_RUNS: Final = _BRANCHES.join(runs, runs.c.branch_key == _own.c.key)


def idle_since(moment: BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a session has no run, and that nobody has used it since a moment, in microseconds.

    To use it is to say something, to answer, to have a run end there, to make, fork or rename a branch, to upload a
    file, even one that is not whole yet, and to set a credential.
    """
    uploaded = _of_session(contents, contents.c.touched_at * _TICKS_A_SECOND >= moment)
    sealed = _of_session(credentials, credentials.c.updated_at >= moment)
    return and_(
        sessions.c.last_activity < moment,
        ~_RUNS.where(or_(runs.c.status.in_(WAITS), runs.c.completed_at >= moment)).exists(),
        ~_BRANCHES.where(or_(_own.c.created_at >= moment, _own.c.last_activity >= moment)).exists(),
        ~uploaded,
        ~sealed,
    )


def _of_session(table: Any, happened: ColumnElement[bool]) -> ColumnElement[bool]:
    theirs = table.c.tenant == sessions.c.tenant, table.c.session_id == sessions.c.id
    return select(table.c.tenant).where(*theirs, happened).exists()
