"""Routes that workers ask by which provider is to do their work, and tell what it has brought."""

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct

from events.ids import is_client_id
from hosting.api.bodies import MAX_BODY
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import seen_by
from hosting.api.fleet.routing_call import RoutingCall
from hosting.api.fleet.routing_faults import (
    RECORD_SECONDS,
    SELECT_SECONDS,
    RecordedView,
    SelectionView,
    nobody_chosen,
    nothing_recorded,
)
from hosting.api.openapi import answers, takes
from hosting.domain.admission import NotTheOwner
from hosting.domain.arm import Arm
from hosting.domain.errors import StorageUnavailable
from hosting.domain.identity import CallerKind
from hosting.domain.observation import Observation, QaResult, RunOutcome, key_of_report
from hosting.domain.work_errors import WorkItemMissing
from hosting.domain.work_item import WorkItem, WorkItemId
from hosting.ports.routing import Dispatch
from hosting.services.routing.core import Router
from hosting.services.routing.feedback import record
from hosting.services.routing.select import Selection, select_provider

_MOST_CANDIDATES: Final = 100
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Words = Annotated[str, Meta(max_length=500)]

_REFUSALS: Final = (
    "work-session-not-found",
    "session-not-owned",
    "invalid-request",
    "payload-too-large",
    "unsupported-media-type",
)


class SelectWanted(Struct, frozen=True, kw_only=True, rename="camel"):
    """The type of the work, and the providers that could do it."""

    work_type: _Name
    candidates: Annotated[tuple[_Name, ...], Meta(max_length=_MOST_CANDIDATES)]
    worker_id: str | None = None


class Feedback(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a provider has brought: `reward` from 0 to 1, and what else is known of the run.

    With an `observationId` it is another observation than those with another one; without, a session has one for each
    time that it was claimed.
    """

    provider: _Name
    work_type: _Name
    reward: Annotated[float, Meta(ge=0, le=1)]
    observation_id: _Name | None = None
    project: _Words | None = None
    issue_identifier: _Words | None = None
    task_completed: bool | None = None
    pr_created: bool | None = None
    qa_result: QaResult | None = None
    total_cost_usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    wall_clock_ms: Annotated[float, Meta(ge=0, le=2**53 - 1)] | None = None
    worker_id: str | None = None


@post(
    "/api/sessions/{session_id:str}/routing-select",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(SelectWanted),
    responses=answers(*_REFUSALS),
)
async def post_routing_select(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    routing: NamedDependency[RoutingCall],
) -> SelectionView:
    """Choose the provider that is to do the work of a session.

    `source` says who has chosen, or why nobody has: the answer is 200 also when the store fails.
    """
    said = await read_report(request, SelectWanted)
    candidates = tuple(dict.fromkeys(said.candidates))
    try:
        async with asyncio.timeout(SELECT_SECONDS):
            dispatch = await _dispatch(routing, session_id, said.worker_id)
            return _shown(await select_provider(routing.router, dispatch, said.work_type, candidates))
    except (StorageUnavailable, TimeoutError) as error:
        return nobody_chosen(error, enabled=routing.router.sampler.enabled)


@post(
    "/api/sessions/{session_id:str}/routing-feedback",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Feedback),
    responses=answers(*_REFUSALS),
)
async def post_routing_feedback(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    routing: NamedDependency[RoutingCall],
) -> RecordedView:
    """Learn what a provider has brought; said twice, it counts once.

    The answer is 200 also when the store fails; then `recorded` is false.
    """
    return await _record(session_id, request, routing)


@post(
    "/api/sessions/{session_id:str}/routing-observation",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Feedback),
    responses=answers(*_REFUSALS),
)
async def post_routing_observation(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    routing: NamedDependency[RoutingCall],
) -> RecordedView:
    """Do the same as `routing-feedback`."""
    return await _record(session_id, request, routing)


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (post_routing_select, post_routing_feedback, post_routing_observation)


async def _record(session_id: str, request: Request[Any, Any, Any], routing: RoutingCall) -> RecordedView:
    said = await read_report(request, Feedback)
    try:
        async with asyncio.timeout(RECORD_SECONDS):
            dispatch = await _dispatch(routing, session_id, said.worker_id)
            await record(routing.router, _observation(routing.router, dispatch.item, said))
    except (StorageUnavailable, TimeoutError) as error:
        return nothing_recorded(error)
    return RecordedView(recorded=True)


async def _dispatch(routing: RoutingCall, session_id: str, said: str | None) -> Dispatch:
    """Return a session that the caller may speak for, also one that has ended: then it is that what came of it is told.

    Raises:
        WorkItemMissing: there is none.
        NotTheOwner: another worker has it.
    """
    identity, could_be = routing.identity, is_client_id(session_id)
    found = await routing.router.store.dispatch(identity.tenant, WorkItemId(session_id)) if could_be else None
    item = await seen_by(routing.fleet, identity, None if found is None else found.item)
    if found is None:
        raise WorkItemMissing
    own = identity.worker_id if identity.kind is CallerKind.WORKER else item.worker_id
    if own != item.worker_id or said not in {None, "", own}:
        raise NotTheOwner
    return found


def _shown(selection: Selection) -> SelectionView:
    chosen = selection.decision
    return SelectionView(
        selected_provider=None if chosen is None else chosen.provider,
        source=selection.source,
        expected_reward=UNSET if chosen is None else chosen.expected_reward,
        confidence=UNSET if chosen is None else chosen.confidence,
    )


def _observation(router: Router, item: WorkItem, said: Feedback) -> Observation:
    return Observation(
        arm=Arm(item.scope.tenant, said.provider, said.work_type),
        session_id=item.id,
        key=key_of_report(item.claim, said.observation_id),
        reward=said.reward,
        observed_at=router.clock(),
        cost=said.total_cost_usd,
        outcome=RunOutcome(
            project=said.project,
            issue_identifier=said.issue_identifier,
            task_completed=said.task_completed,
            pr_created=said.pr_created,
            qa_result=said.qa_result,
            # Clients in some languages have times with fractions only.
            wall_clock_ms=None if said.wall_clock_ms is None else round(said.wall_clock_ms),
        ),
    )
