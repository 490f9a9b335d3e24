"""The door to what routers have learnt."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hosting.domain.arm import Arm
from hosting.domain.definition import AgentConfig
from hosting.domain.observation import Observation
from hosting.domain.posterior import Posterior
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkItem, WorkItemId


@dataclass(frozen=True, slots=True)
class Dispatch:
    """An item of the fleet, with what says how it is to be done.

    `config` is its run's, as submitted; `defined` is its agent's definition, in the version of its run, if one is
    stored.
    """

    item: WorkItem
    config: bytes
    defined: AgentConfig | None


@dataclass(frozen=True, slots=True)
class Known:
    """An arm, and what is known of it."""

    arm: Arm
    posterior: Posterior


@dataclass(frozen=True, slots=True)
class Place:
    """Where an observation stands among a tenant's: by its time, and by its number among those of the same."""

    observed_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An observation, and its place."""

    observation: Observation
    place: Place


class RoutingStore(Protocol):
    """Arms and observations; nothing learnt from one tenant is found under another's.

    Whatever is wrong with the store, it is told as one error: nobody who asks for a route is to fail for that.

    Raises:
        StorageUnavailable: the store cannot be used, or what it holds cannot be read.
    """

    async def dispatch(self, tenant: TenantId, item_id: WorkItemId) -> Dispatch | None:
        """Return an item and how it is to be done."""
        ...

    async def posteriors(self, tenant: TenantId, work_type: str, providers: Collection[str]) -> Mapping[str, Posterior]:
        """Return what is known of providers; one of which nothing is known is not in it."""
        ...

    async def learn(self, observation: Observation) -> bool:
        """Keep an observation and move its arm's posterior, durably and both at once; False when it was there before.

        However many say the same at the same time, one of them moves the posterior.
        """
        ...

    async def arms(self, tenant: TenantId, limit: int) -> Sequence[Known]:
        """Return a tenant's arms, in the order of their names."""
        ...

    async def observations(
        self,
        tenant: TenantId,
        limit: int,
        *,
        behind: Place | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Recorded]:
        """Return a tenant's observations, the newest first: those behind a place, and within both times inclusively."""
        ...

    async def prune(self, at: datetime) -> int:
        """Forget what is too old or too much, of all tenants, and return how many rows those were.

        Of a tenant's observations the newest 10 000 stay, and those of the last day; of its arms the 1 000 that learnt
        last, and none that has learnt nothing for 90 days.
        """
        ...
