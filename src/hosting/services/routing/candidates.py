"""Choosing the candidate that is to do a run of this server's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from hosting.domain.arm import Arm
from hosting.domain.errors import StorageUnavailable
from hosting.domain.routing import choose
from hosting.domain.scope import TenantId
from hosting.services.routing.known_posteriors import KnownPosteriors

_log = structlog.get_logger("branchline.routing")


@dataclass(frozen=True, slots=True)
class CandidateRouter:
    """See the door, ports.router.Router."""

    known: KnownPosteriors
    chance: Random
    enabled: bool
    exploration_rate: float

    async def choose(self, tenant: TenantId, work_type: str, candidates: Sequence[str]) -> str:
        """See Router.choose."""
        if not self.enabled:
            return candidates[0]
        try:
            known = await self.known.of(tenant, work_type, candidates)
        except StorageUnavailable as error:
            _log.warning("a run takes the first candidate, for nothing is known of them now", why=error.why)
            return candidates[0]
        return choose(known, self.chance, self.exploration_rate).provider

    def learnt(self, arms: Iterable[Arm]) -> None:
        """See Router.learnt."""
        for arm in arms:
            self.known.drop(arm)
