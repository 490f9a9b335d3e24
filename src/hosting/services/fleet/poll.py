"""Polling: the next items for a worker, which has them when it hears of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from events.serializer import Stamp
from events.work import WorkClaimed
from hosting.domain.errors import StorageUnavailable
from hosting.domain.inbox_message import InboxMessage
from hosting.domain.lane_item import Lane
from hosting.domain.work_item import WorkItem, WorkItemId, WorkState
from hosting.domain.worker import Worker
from hosting.ports.git_credentials import GitCredential
from hosting.ports.units import Committed, Unit
from hosting.ports.work import Claim
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.inbox import inbox_of
from hosting.services.fleet.lanes import LaneClaim, poll_lanes

_log = structlog.get_logger("branchline.fleet")

MOST_AT_ONCE: Final = 5


class Unclaimed(StrEnum):
    """Why a worker does not get the item that it asked for by its name."""

    TAKEN = "Work not available or already claimed"
    OTHER_PROJECT = "Worker is not authorized for this project"
    OTHER_AGENT = "Worker does not work for this agent"
    NO_ROOM = "Worker has no room for more work"


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll brings: new items, what is to be heard of those that the worker had before, and work of lanes."""

    claims: Sequence[Claim]
    inbox: Mapping[WorkItemId, Sequence[InboxMessage]]
    lanes: Mapping[Lane, Sequence[LaneClaim]]
    credentials: Sequence[GitCredential]


async def poll_all(fleet: Fleet, worker: Worker, *, by_token: bool) -> Polled:
    """Hand a worker all that there is for it; who came without a token of its own gets no credentials and no lanes.

    Raises:
        StorageUnavailable: nothing is handed over, or what was comes back when its lease has run out.
    """
    held = await fleet.work.held(worker.tenant, worker.id)
    credentials = await fleet.git.issue(worker) if by_token else ()
    inbox = await inbox_of(fleet, worker, held, with_turns=not by_token)
    # Behind all that may fail: some of it is handed out for good.
    lanes = await _lanes(fleet, worker, is_in_hand=bool(inbox)) if by_token else {}
    try:
        claims = await poll_work(fleet, worker)
    except StorageUnavailable as error:
        if not inbox and not any(lanes.values()):
            raise
        # What is in hand was handed over, and would not be again: new work can wait for the next poll.
        _log.warning("a poll brings no work", worker=worker.id, why=error.why)
        claims = []
    return Polled(claims, inbox, lanes, credentials)


async def _lanes(fleet: Fleet, worker: Worker, *, is_in_hand: bool) -> Mapping[Lane, Sequence[LaneClaim]]:
    try:
        return await poll_lanes(fleet, worker)
    except StorageUnavailable as error:
        if not is_in_hand:
            raise
        _log.warning("a poll brings no work", worker=worker.id, why=error.why)
        return {}


async def poll_work(fleet: Fleet, worker: Worker) -> list[Claim]:
    """Claim the next items for a worker: at most five, never more than it has room for, and tell their readers.

    Raises:
        StorageUnavailable: nothing was claimed, or what was comes back when its lease has run out.
    """
    if worker.is_drained:
        return []
    return await _told(fleet, await fleet.work.claim(worker, MOST_AT_ONCE, fleet.lease_seconds))


async def claim_work(fleet: Fleet, worker: Worker, item_id: WorkItemId) -> Claim | Unclaimed:
    """Claim one item for a worker, or say why it cannot have it; raises as `poll_work` does."""
    if not worker.is_drained:
        claims = await _told(fleet, await fleet.work.claim(worker, 1, fleet.lease_seconds, only=item_id))
        if claims:
            return claims[0]
    return await _why_not(fleet, worker, await fleet.work.item(worker.tenant, item_id))


async def tell_claimed(fleet: Fleet, claim: Claim) -> bool:
    """Tell that a worker has an item; False when it was taken away in the meantime."""
    item, scope, now = claim.item, claim.item.scope, fleet.runtime.clock()
    event = WorkClaimed(work_item_id=item.id, worker_id=claim.lease.node, attempt=item.claim)
    encoded = fleet.runtime.serializer.encode(event, Stamp(scope.session_id, scope.branch_id).at(now))
    unit = Unit(scope.tenant, item.branch_key, item.run_id, claim.lease.fence, events=[encoded])
    return isinstance(await fleet.runtime.writer.append_to(unit), Committed)


async def _told(fleet: Fleet, claims: list[Claim]) -> list[Claim]:
    told = await asyncio.gather(*(tell_claimed(fleet, claim) for claim in claims))
    return [claim for claim, is_told in zip(claims, told, strict=True) if is_told]


async def _why_not(fleet: Fleet, worker: Worker, item: WorkItem | None) -> Unclaimed:
    if item is None or item.state is not WorkState.PENDING:
        return Unclaimed.TAKEN
    if not worker.is_for_project(item):
        return Unclaimed.OTHER_PROJECT
    if not worker.is_for_agent(item):
        return Unclaimed.OTHER_AGENT
    held = await fleet.work.held(worker.tenant, worker.id)
    return Unclaimed.NO_ROOM if worker.is_drained or len(held) >= worker.capacity else Unclaimed.TAKEN
