"""The route that workers ask for work by."""

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Struct, UnsetType

from hosting.api.caller import Caller
from hosting.api.fleet.inbox import InboxView
from hosting.api.fleet.lane_view import GitCredentialView, lane_work
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.work_view import WorkView
from hosting.api.openapi import answers
from hosting.domain.identity import CallerKind
from hosting.domain.lane_item import Lane
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.poll import Polled, poll_all


class PolledView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a poll brings; all work in it is the worker's already.

    What is in the inbox is about sessions that the worker had before. Only who comes with a token of its own gets
    credentials, and the work of lanes that it can do.
    """

    work: list[WorkView]
    inbox_messages: dict[str, list[InboxView]]
    has_inbox_messages: bool
    pre_claimed: bool
    claimed_session_ids: list[str]
    git_credentials: list[GitCredentialView] | UnsetType = UNSET
    batch_work: list[dict[str, Any]] | UnsetType = UNSET
    kg_extract_work: list[dict[str, Any]] | UnsetType = UNSET
    landing_work: list[dict[str, Any]] | UnsetType = UNSET


@get(
    "/api/workers/{worker_id:str}/poll",
    responses=answers("worker-not-found", "forbidden", "storage-unavailable"),
)
async def poll(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> PolledView:
    """Claim the next work; what comes back is the worker's already."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    polled = await poll_all(fleet, worker, by_token=caller.identity.kind is CallerKind.WORKER)
    server = str(request.base_url).rstrip("/")
    return PolledView(
        work=[WorkView.of(claim) for claim in polled.claims],
        inbox_messages={item_id: [InboxView.of(each) for each in heard] for item_id, heard in polled.inbox.items()},
        has_inbox_messages=bool(polled.inbox),
        pre_claimed=bool(polled.claims),
        claimed_session_ids=[claim.item.id for claim in polled.claims],
        git_credentials=[GitCredentialView.of(each) for each in polled.credentials] or UNSET,
        batch_work=_lane_work(polled, Lane.BATCH, server),
        kg_extract_work=_lane_work(polled, Lane.KG_EXTRACT, server),
        landing_work=_lane_work(polled, Lane.LANDING, server),
    )


def _lane_work(polled: Polled, lane: Lane, server: str) -> list[dict[str, Any]] | UnsetType:
    claims = polled.lanes.get(lane)
    return UNSET if claims is None else [lane_work(claim, server, polled.credentials) for claim in claims]
