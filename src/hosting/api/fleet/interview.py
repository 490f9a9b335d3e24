"""Routes of interviews: what an agent says there, as a user interface wants it, and the end of one."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from events import sse
from events.control import CloseReason, ResetReason
from events.ids import BranchId, SessionId, is_client_id
from events.position import Position
from hosting.api.caller import Caller
from hosting.api.live import RETRY_MS, LiveFeed, LiveSettings
from hosting.api.openapi import answers
from hosting.domain.branch import Branch
from hosting.domain.work_errors import WorkItemMissing
from hosting.domain.work_item import WorkItem, WorkItemId, WorkState
from hosting.runtime.follow import Follower
from hosting.services.fleet.core import Fleet
from hosting.services.relay.chunks import Chunks, framed
from hosting.services.relay.interviews import end_interview

_LONGEST: Final = 300


class InterviewOver(Struct, frozen=True, kw_only=True, rename="camel"):
    """An interview that is over; `sessionId` is the worker session that it was."""

    completed: bool = True
    session_id: str


@get(
    "/api/interview/{session_id:str}/stream",
    media_type="text/event-stream",
    responses=answers("work-session-not-found", "too-many-streams", "storage-unavailable"),
)
async def get_interview_stream(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[None]:
    """Follow what the agent of an interview says from now on, by the id of the worker session or of its issue.

    204 when that session has ended: a browser does not come back then.
    """
    branch, item = await _named(caller, fleet, session_id)
    if item is not None and _is_over(item):
        return Response(None, status_code=204)
    return _InterviewFeed(caller, fleet, request.app.state.live, branch, item)


@post(
    "/api/interview/{session_id:str}/complete",
    status_code=200,
    responses=answers("work-session-not-found", "work-transition-refused", "storage-unavailable"),
)
async def complete_interview(
    session_id: FromPath[str], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> InterviewOver:
    """End an interview, and with it its run, as completed; again it changes nothing."""
    branch, item = await _named(caller, fleet, session_id)
    item_id = item.id if item is not None else await _newest(caller, branch)
    await end_interview(fleet.desks, fleet.work, caller.tenant, item_id)
    return InterviewOver(session_id=item_id)


class _InterviewFeed(LiveFeed):
    """Follows a branch for what is said in one interview; without an item it is that of the run that ends next."""

    def __init__(
        self, caller: Caller, fleet: Fleet, settings: LiveSettings, branch: Branch, item: WorkItem | None
    ) -> None:
        super().__init__(caller.runtime, settings, branch, None)
        self._caller = caller
        self._fleet = fleet
        self._item = item
        self._chunks = Chunks()

    async def start(self, head: int) -> tuple[int, ResetReason | None]:
        """Return the head, after a look whether there is anything left to follow: what comes now, comes behind it."""
        if self._item is None:
            run = await self._caller.reads.active_run(self.branch.key)
            self._chunks = Chunks(None if run is None else run.id)
            return head, None
        item = await self._fleet.work.item(self._item.scope.tenant, self._item.id)
        self._chunks = Chunks(self._item.run_id, has_begun=item is None or item.state is not WorkState.WAITING)
        self._chunks.is_over = item is None or _is_over(item)
        return head, None

    @property
    def is_over(self) -> bool:  # type: ignore[override]
        """Whether the interview is."""
        return self._chunks.is_over

    def opening(self, place: Position, reset: ResetReason | None) -> bytes:
        """Say how soon to come back."""
        return b"retry: %d\n\n" % RETRY_MS

    def skipped(self, follower: Follower) -> bytes:
        """Return nothing: there is no chunk for it."""
        return b""

    def translated(self, piece: bytes) -> bytes:
        """Return events as chunks."""
        return framed(self._chunks.of(sse.each_data(piece)))

    def heartbeat(self, place: Position) -> bytes:
        """Return a comment."""
        return b"%b\n" % sse.HEARTBEAT

    def apology(self) -> bytes:
        """Return a comment: there is no chunk for it."""
        return b": the stream broke on the server\n\n"

    def closing(self, reason: CloseReason, retry_ms: int | None) -> bytes:
        """Return when to come back."""
        return b": closing\n\n" if retry_ms is None else b": closing\nretry: %d\n\n" % retry_ms


async def _named(caller: Caller, fleet: Fleet, name: str) -> tuple[Branch, WorkItem | None]:
    """Return the branch of an interview, and its item if it is named by that, not by the issue.

    Raises:
        WorkItemMissing: there is none of the caller's.
    """
    item = await fleet.work.item(caller.tenant, WorkItemId(name)) if is_client_id(name) else None
    if item is not None:
        branch = await caller.reads.branch(item.scope.session_id, item.scope.branch_id)
        if branch is not None:
            return branch, item
    elif len(name) <= _LONGEST:
        # An id may have dots in it itself.
        for at in [at for at, letter in enumerate(name) if letter == "."]:
            session, of_it = SessionId(name[:at]), BranchId(name[at + 1 :])
            could_be = is_client_id(session) and is_client_id(of_it)
            branch = await caller.reads.branch(session, of_it) if could_be else None
            if branch is not None:
                return branch, None
    raise WorkItemMissing


async def _newest(caller: Caller, branch: Branch) -> WorkItemId:
    """Return the item of a branch's active run, else the one that was worked on last."""
    active = await caller.reads.active_run(branch.key)
    runs = [active] if active is not None else reversed(await caller.reads.runs(branch.key, None))
    found = next((run.work_item for run in runs if run.work_item is not None), None)
    if found is None:
        raise WorkItemMissing
    return WorkItemId(found)


def _is_over(item: WorkItem) -> bool:
    return item.state.is_ended or item.report.is_interview_over
