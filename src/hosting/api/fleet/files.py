"""Routes that workers keep files for themselves by, in both shapes (docs/reference/worker-protocol.md)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from events.ids import is_name
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_or_any
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.ports.file_reservations import Reservation
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.files import Reserved, find_conflicts, release_files, reserve_file, reserve_files

HOUR_SECONDS: Final = 3600.0
_MOST_PATHS: Final = 1000
_LONGEST_PATH: Final = 2000
"""In bytes: what PostgreSQL takes into an index, beside the repository's name."""
_SHORT_SECONDS: Final = 60
_LONGEST_SECONDS: Final = 300

_Path = Annotated[str, Meta(min_length=1, max_length=_LONGEST_PATH)]
_Paths = Annotated[tuple[_Path, ...], Meta(max_length=_MOST_PATHS)]


class FilesReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """Files of a session's repository: `filePaths`, or a single `filePath`, which is kept for seconds only."""

    file_paths: _Paths | None = None
    file_path: _Path | None = None
    reason: Annotated[str, Meta(max_length=2000)] | None = None
    ttl_seconds: Annotated[int, Meta(ge=1)] = _SHORT_SECONDS
    worker_id: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files.

        Raises:
            InvalidRequest: there are none, or one has a name that cannot be stored.
        """
        return _checked(self.file_paths, self.file_path)


class WorkerSaid(Struct, frozen=True, rename="camel"):
    """Who asks."""

    worker_id: str | None = None


class HeldBy(Struct, frozen=True, rename="camel"):
    """Who has a file; `reservedAt` is milliseconds since 1970."""

    session_id: str
    reserved_at: int


class Conflict(Struct, frozen=True, rename="camel"):
    """A file that another session has."""

    file_path: str
    held_by: HeldBy


class ReservedView(Struct, frozen=True):
    """The files that are the session's now, and those that are not."""

    reserved: list[str]
    conflicts: list[Conflict]


class ConflictsView(Struct, frozen=True):
    """The files that other sessions have."""

    conflicts: list[Conflict]


class ReleasedView(Struct, frozen=True):
    """How many files were given up."""

    released: int


@post(
    "/api/sessions/{session_id:str}/files/reserve",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(FilesReport),
    responses=answers(*OF_A_REPORT, "work-session-ended", "file-reserved"),
)
async def post_reserve(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ReservedView:
    """Keep files for an hour, as far as no other session has them; a single `filePath` is kept or refused."""
    said = await read_report(request, FilesReport)
    paths, reason = said.paths, _checked_text(said.reason)
    holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
    if said.file_paths is None:
        seconds = min(said.ttl_seconds, _LONGEST_SECONDS)
        return _view(await reserve_file(fleet, holding, paths[0], reason, seconds))
    return _view(await reserve_files(fleet, holding, paths, reason, HOUR_SECONDS))


@post(
    "/api/sessions/{session_id:str}/files/check-conflicts",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(FilesReport),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_check_conflicts(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ConflictsView:
    """Say which of the files other sessions have."""
    said = await read_report(request, FilesReport)
    paths = said.paths
    holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
    return ConflictsView(_conflicts(await find_conflicts(fleet, holding, paths)))


@get(
    "/api/sessions/{session_id:str}/files/check-conflicts",
    responses=answers(
        "work-session-not-found", "session-not-owned", "work-session-ended", "invalid-request", "storage-unavailable"
    ),
)
async def get_check_conflicts(
    session_id: FromPath[str],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
    file_paths: Annotated[list[str] | None, QueryParameter(name="filePaths")] = None,
    file_path: Annotated[str | None, QueryParameter(name="filePath")] = None,
    worker_id: Annotated[str | None, QueryParameter(name="workerId")] = None,
) -> ConflictsView:
    """Say which of the files other sessions have; `filePaths` may be there more than once."""
    paths = _checked(file_paths, file_path)
    holding = await holder_or_any(fleet, caller.identity, session_id, worker_id)
    return ConflictsView(_conflicts(await find_conflicts(fleet, holding, paths)))


@post(
    "/api/sessions/{session_id:str}/files/release",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(FilesReport),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_release(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ReleasedView:
    """Give files up."""
    said = await read_report(request, FilesReport)
    paths = said.paths
    holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
    return ReleasedView(await release_files(fleet, holding, paths))


@post(
    "/api/sessions/{session_id:str}/files/release-all",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(WorkerSaid),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_release_all(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ReleasedView:
    """Give all files up that a session has; the body may be empty."""
    said = await read_report(request, WorkerSaid)
    holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
    return ReleasedView(await release_files(fleet, holding, None))


ROUTES: Final = (post_reserve, post_check_conflicts, get_check_conflicts, post_release, post_release_all)


def _checked(paths: Sequence[str] | None, path: str | None) -> tuple[str, ...]:
    wanted = tuple(paths) if paths is not None else () if path is None else (path,)
    if paths is None and path is None:
        raise InvalidRequest("`filePaths` is missing - at `$.filePaths`.")
    if len(wanted) > _MOST_PATHS:
        raise InvalidRequest(f"`filePaths` has more than {_MOST_PATHS} files - at `$.filePaths`.")
    for each in wanted:
        _checked_text(each)
        if not 0 < len(each.encode()) <= _LONGEST_PATH:
            raise InvalidRequest(f"A path has 1 to {_LONGEST_PATH} bytes - at `$.filePaths`.")
    return wanted


def _checked_text(text: str | None) -> str | None:
    if text is not None and not is_name(text):
        raise InvalidRequest("A path or reason holds a character that cannot be stored.")
    return text


def _view(reserved: Reserved) -> ReservedView:
    return ReservedView(reserved.paths, _conflicts(reserved.conflicts))


def _conflicts(found: Sequence[Reservation]) -> list[Conflict]:
    return [Conflict(each.path, HeldBy(each.item_id, int(each.reserved_at.timestamp() * 1000))) for each in found]
