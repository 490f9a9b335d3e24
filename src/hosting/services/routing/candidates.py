"""Choosing the candidate that is to do a run of this server's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from hosting.domain.arm import Arm
from hosting.domain.errors import StorageUnavailable
from hosting.domain.scope import TenantId
from hosting.services.routing.sampler import Sampler

_log = structlog.get_logger("branchline.routing")


@dataclass(frozen=True, slots=True)
class CandidateRouter:
    """See the door, ports.router.Router."""

    sampler: Sampler

    async def choose(self, tenant: TenantId, work_type: str, candidates: Sequence[str]) -> str:
        """See Router.choose."""
        if not self.sampler.enabled:
            return candidates[0]
        try:
            return (await self.sampler.choose(tenant, work_type, candidates)).provider
        except StorageUnavailable as error:
            _log.warning("a run takes the first candidate, for nothing is known of them now", why=error.why)
            return candidates[0]

    def learnt(self, arms: Iterable[Arm]) -> None:
        """See Router.learnt."""
        for arm in arms:
            self.sampler.known.drop(arm)
