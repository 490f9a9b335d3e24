"""Routes of the lanes: operators put work in, and whoever did it says what came of it."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report, report_text
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.problems import ApiError
from hosting.domain.admission import Unauthenticated
from hosting.domain.errors import InvalidRequest
from hosting.domain.lane_item import Lane, LaneItem
from hosting.domain.secret import Secret
from hosting.domain.sentences import plain_sentence
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.lanes import ResultOutcome, add_to_lane, take_result

_MOST: Final = 200
_SCHEME: Final = "Bearer "
_OURS: Final = ("batchJobId", "contractVersion", "orgId", "gitCredential", "resultEndpoint", "resultAuth")
_RESULT_REFUSALS: Final = ("invalid-request", "payload-too-large", "unsupported-media-type", "storage-unavailable")
_REFUSALS: Final = ("not-found", *_RESULT_REFUSALS)
_Text = Annotated[str, Meta(min_length=1, max_length=500)]
RESULT_PATHS: Final = {
    Lane.BATCH: "/api/factory/code-survival/results",
    Lane.KG_EXTRACT: "/api/factory/kg-extraction/results",
}
"""Where workers send results (docs/reference/worker-protocol.md)."""


class LaneWork(Struct, frozen=True, kw_only=True, rename="camel"):
    """Work to be put into a lane; whatever else it says, its worker gets too."""

    work_type: _Text | None = None
    project_id: _Text | None = None


class BatchWork(LaneWork, frozen=True, kw_only=True, rename="camel"):
    """A merged change whose lines are to be looked for again."""

    attribution_id: _Text
    checkpoint: _Text
    pr_repo: _Text
    pr_number: Annotated[int, Meta(ge=1)]
    merge_sha: _Text


class LandingWork(LaneWork, frozen=True, kw_only=True, rename="camel"):
    """A repository whose merge queue is to be worked off."""

    repo_id: _Text


_SHAPES: Final[dict[Lane, type[LaneWork]]] = {
    Lane.BATCH: BatchWork,
    Lane.KG_EXTRACT: LaneWork,
    Lane.LANDING: LandingWork,
}


class LaneItemView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An item of a lane as it stands; times are milliseconds since 1970."""

    batch_job_id: str
    state: str
    attempts: int
    worker_id: str | UnsetType = UNSET
    queued_at: int
    completed_at: int | UnsetType = UNSET
    payload: dict[str, Any]
    result: Any | UnsetType = UNSET

    @classmethod
    def of(cls, item: LaneItem) -> "LaneItemView":
        """Show one."""
        ended = item.completed_at
        return cls(
            batch_job_id=job_id(item),
            state=item.state,
            attempts=item.attempts,
            worker_id=item.worker_id or UNSET,
            queued_at=int(item.queued_at.timestamp() * 1000),
            completed_at=UNSET if ended is None else int(ended.timestamp() * 1000),
            payload=item.payload,
            result=UNSET if item.result is None else Raw(item.result),
        )


class LaneView(Struct, frozen=True):
    """A lane, the last item first."""

    items: list[LaneItemView]


class Result(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of an item; all of it is kept, as it is said."""

    attribution_id: str | None = None
    checkpoint: str | None = None


class ResultView(Struct, frozen=True, kw_only=True):
    """That a result was taken; one that was taken before is a duplicate, and changes nothing."""

    accepted: bool = True
    duplicate: bool


@post(
    "/api/work/lanes/{lane:str}",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(LaneWork),
    responses=answers("idempotency-key-under-way", "idempotency-key-reused", *_REFUSALS),
)
async def post_lane_work(
    lane: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[LaneItemView]:
    """Put work into a lane: `batch`, `kg-extract` or `landing`."""

    async def add(keyed: Keyed[LaneItem] | None) -> LaneItem:
        found = _lane(lane)
        await read_report(request, _SHAPES[found])
        payload = _payload(await report_text(request))
        taken = next((name for name in _OURS if name in payload), None)
        if taken is not None:
            raise InvalidRequest(f"`{taken}` is said by the server when the work is handed out - at `$.{taken}`.")
        return await add_to_lane(fleet, caller.tenant, found, payload, keyed)

    return await once(request, caller, add, lambda item: shown(LaneItemView.of(item)))


def _payload(body: bytes | str) -> dict[str, Any]:
    try:
        payload: dict[str, Any] = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidRequest(plain_sentence(str(error))) from error
    return payload


@get("/api/work/lanes/{lane:str}", responses=answers("not-found", "invalid-request", "storage-unavailable"))
async def list_lane(
    lane: FromPath[str],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST)] = _MOST,
) -> LaneView:
    """List the work of a lane, the last first, with what came of it."""
    return LaneView([LaneItemView.of(item) for item in await fleet.lanes.listed(caller.tenant, _lane(lane), limit)])


@post(
    RESULT_PATHS[Lane.BATCH],
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Result),
    responses=answers("unauthenticated", *_RESULT_REFUSALS),
)
async def post_batch_result(request: Request[Any, Any, Any], fleet: NamedDependency[Fleet]) -> ResultView:
    """Take what came of an item of the lane `batch` from whoever shows its `resultAuth`; again, it changes nothing."""
    return await _take(request, fleet, Lane.BATCH)


@post(
    RESULT_PATHS[Lane.KG_EXTRACT],
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Result),
    responses=answers("unauthenticated", *_RESULT_REFUSALS),
)
async def post_extraction_result(request: Request[Any, Any, Any], fleet: NamedDependency[Fleet]) -> ResultView:
    """Take what came of an item of the lane `kg-extract`, as that of `batch` is taken."""
    return await _take(request, fleet, Lane.KG_EXTRACT)


async def _take(request: Request[Any, Any, Any], fleet: Fleet, lane: Lane) -> ResultView:
    shown = request.headers.getall("authorization", [])
    if len(shown) != 1 or not shown[0].startswith(_SCHEME):
        raise Unauthenticated
    said = await read_report(request, Result)
    known = None if None in {said.attribution_id, said.checkpoint} else f"{said.attribution_id}:{said.checkpoint}"
    secret = Secret(shown[0].removeprefix(_SCHEME))
    outcome = await take_result(fleet, lane, secret, known, await report_text(request))
    if outcome is ResultOutcome.UNKNOWN:
        raise Unauthenticated
    if outcome is ResultOutcome.OF_ANOTHER:
        raise InvalidRequest("`attributionId` and `checkpoint` are those of another item - at `$.attributionId`.")
    return ResultView(duplicate=outcome is ResultOutcome.REPEATED)


def job_id(item: LaneItem) -> str:
    """Return what workers call an item."""
    return f"batch:due_checkpoint:{item.id}" if item.lane is Lane.BATCH else item.id


def _lane(name: str) -> Lane:
    try:
        return Lane(name)
    except ValueError as error:
        raise ApiError("not-found", f"There is no such lane; there are {', '.join(Lane)}.") from error
