"""The route that shows what routers have learnt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID, uuid5

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import UNSET, Struct, UnsetType

from hosting.api.caller import Caller
from hosting.api.openapi import answers
from hosting.domain.errors import InvalidRequest
from hosting.domain.observation import Observation, QaResult
from hosting.ports.routing import Known, Place
from hosting.services.routing.core import Router

_LISTED: Final = 50
_MOST_LISTED: Final = 200
_MOST_ARMS: Final = 1000
_PLACES: Final = 4
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OBSERVATIONS: Final = UUID("5b2ad5bd-9d4e-4a6c-93a4-6c0f2f7a6a10")
"""The namespace that the ids of observations are names of."""
_MOMENT: Final = "milliseconds since 1970, or RFC 3339."

_From = Annotated[str | None, QueryParameter(name="from", description=f"Observations from this time on: {_MOMENT}")]
_To = Annotated[str | None, QueryParameter(name="to", description=f"Observations up to this time: {_MOMENT}")]
_Cursor = Annotated[str | None, QueryParameter(max_length=100, description="`nextCursor` of the page before.")]


class PosteriorView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of a provider for a type of work."""

    provider: str
    work_type: str
    alpha: float
    beta: float
    expected_reward: float
    confidence: float
    total_observations: int
    avg_reward: float
    avg_cost_usd: float

    @classmethod
    def of(cls, known: Known) -> "PosteriorView":
        """Show one."""
        arm, posterior = known.arm, known.posterior
        return cls(
            provider=arm.provider,
            work_type=arm.work_type,
            alpha=_rounded(posterior.alpha),
            beta=_rounded(posterior.beta),
            expected_reward=_rounded(posterior.expected_reward),
            confidence=_rounded(posterior.confidence),
            total_observations=posterior.observations,
            avg_reward=_rounded(posterior.average_reward),
            avg_cost_usd=_rounded(posterior.average_cost),
        )


class ObservationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a run has come to; `timestamp` is milliseconds since 1970."""

    id: str
    provider: str
    work_type: str
    session_id: str
    reward: float
    timestamp: int
    project: str | UnsetType = UNSET
    issue_identifier: str | UnsetType = UNSET
    task_completed: bool | UnsetType = UNSET
    pr_created: bool | UnsetType = UNSET
    qa_result: QaResult | UnsetType = UNSET
    total_cost_usd: float | UnsetType = UNSET
    wall_clock_ms: int | UnsetType = UNSET

    @classmethod
    def of(cls, observation: Observation) -> "ObservationView":
        """Show one."""
        arm, outcome = observation.arm, observation.outcome
        said = {name: value for name, value in msgspec.structs.asdict(outcome).items() if value is not None}
        if observation.cost is not None:
            said["total_cost_usd"] = _rounded(observation.cost)
        name = msgspec.json.encode((arm.tenant, observation.session_id, observation.key, arm.provider, arm.work_type))
        return cls(
            id=str(uuid5(_OBSERVATIONS, name.decode())),
            provider=arm.provider,
            work_type=arm.work_type,
            session_id=observation.session_id,
            reward=_rounded(observation.reward),
            timestamp=_milliseconds(observation.observed_at),
            **said,
        )


class RoutingSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """All arms together; nothing here measures how long results survive, so that `survivalRewardCount` is 0."""

    total_observations: int
    routing_enabled: bool
    exploration_rate: float
    avg_confidence: float
    survival_reward_count: int = 0


class RoutingMetrics(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was learnt so far, and what from, the newest first; `nextCursor` is there while there is more."""

    posteriors: list[PosteriorView]
    recent_decisions: list[ObservationView]
    summary: RoutingSummary
    timestamp: datetime
    next_cursor: str | UnsetType = UNSET


@get("/api/public/routing-metrics", responses=answers("invalid-request", "storage-unavailable"))
async def get_routing_metrics(
    caller: NamedDependency[Caller],
    router: NamedDependency[Router],
    since: _From = None,
    until: _To = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_LISTED)] = _LISTED,
    cursor: _Cursor = None,
) -> RoutingMetrics:
    """Return what is known of each provider, and the observations of a time by pages; numbers have four decimals."""
    # One more than wanted tells whether there is more.
    found = await router.store.observations(
        caller.tenant,
        limit + 1,
        behind=None if cursor is None else _place(cursor),
        since=None if since is None else _moment("from", since),
        until=None if until is None else _moment("to", until),
    )
    known = await router.store.arms(caller.tenant, _MOST_ARMS)
    page = found[:limit]
    return RoutingMetrics(
        posteriors=[PosteriorView.of(each) for each in known],
        recent_decisions=[ObservationView.of(each.observation) for each in page],
        summary=_summary(router, known),
        timestamp=router.clock(),
        next_cursor=_cursor(page[-1].place) if len(found) > limit else UNSET,
    )


def _summary(router: Router, known: Sequence[Known]) -> RoutingSummary:
    confidences = [each.posterior.confidence for each in known]
    return RoutingSummary(
        total_observations=sum(each.posterior.observations for each in known),
        routing_enabled=router.sampler.enabled,
        exploration_rate=_rounded(router.sampler.exploration_rate),
        avg_confidence=_rounded(sum(confidences) / len(confidences)) if confidences else 0.0,
    )


def _moment(name: str, text: str) -> datetime:
    try:
        if text.isascii() and text.removeprefix("-").isdecimal():
            return _START + timedelta(milliseconds=int(text))
        moment = msgspec.convert(text, datetime)
    except (msgspec.ValidationError, OverflowError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest(f"`{name}` must be milliseconds since 1970, or a time such as 2026-01-31T12:00:00Z.")
    return moment


def _cursor(place: Place) -> str:
    return f"{(place.observed_at - _START) // timedelta(microseconds=1)}.{place.number}"


def _place(cursor: str) -> Place:
    ticks, _, number = cursor.partition(".")
    if not (cursor.isascii() and ticks.isdecimal() and number.isdecimal() and int(number) < 2**63):
        raise InvalidRequest("`cursor` is none that a page has come with.")
    try:
        return Place(_START + timedelta(microseconds=int(ticks)), int(number))
    except OverflowError as error:
        raise InvalidRequest("`cursor` is none that a page has come with.") from error


def _milliseconds(moment: datetime) -> int:
    return (moment - _START) // timedelta(milliseconds=1)


def _rounded(number: float) -> float:
    return round(number, _PLACES)
