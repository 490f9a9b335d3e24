"""The route that workers ask for work by."""

from typing import Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Struct, UnsetType

from hosting.api.caller import Caller
from hosting.api.fleet.address import address_of
from hosting.api.fleet.inbox import InboxView
from hosting.api.fleet.lane_view import GitCredentialView, lane_work
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.work_view import WorkView
from hosting.api.openapi import answers
from hosting.domain.admission import Forbidden
from hosting.domain.identity import CallerKind, Identity
from hosting.domain.lane_item import Lane
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.poll import Polled, poll_all

_OWN_SITE: Final = frozenset({"same-origin", "none"})


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
    _check_asker(request, caller.identity)
    worker = await worker_named(fleet, caller.identity, worker_id)
    polled = await poll_all(fleet, worker, by_token=caller.identity.kind is CallerKind.WORKER)
    server = address_of(request)
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


def _check_asker(request: Request[Any, Any, Any], identity: Identity) -> None:
    """Make sure that no page of another site claims work by a link, an image or the like, which say no `Origin`.

    Raises:
        Forbidden: one does, in the browser of somebody who needs no key.
    """
    if identity.kind is CallerKind.LOCAL and request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise Forbidden("Pages of other sites claim no work.")


def _lane_work(polled: Polled, lane: Lane, server: str) -> list[dict[str, Any]] | UnsetType:
    claims = polled.lanes.get(lane)
    return UNSET if claims is None else [lane_work(claim, server, polled.credentials) for claim in claims]
