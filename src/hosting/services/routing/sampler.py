"""Choosing by what is known, for runs of this server's own and for workers alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hosting.domain.routing import Decision, choose
from hosting.domain.scope import TenantId
from hosting.services.routing.known_posteriors import KnownPosteriors


@dataclass(frozen=True, slots=True)
class Sampler:
    """Chooses among candidates; unless it is `enabled`, nobody is to be told what it would choose."""

    known: KnownPosteriors
    chance: Random
    enabled: bool
    exploration_rate: float

    async def choose(self, tenant: TenantId, work_type: str, candidates: Sequence[str]) -> Decision:
        """Choose one of the candidates, at least one, for a type of work.

        Raises:
            StorageUnavailable: what is known of them cannot be read now.
        """
        known = await self.known.of(tenant, work_type, candidates)
        return choose(known, self.chance, self.exploration_rate)
