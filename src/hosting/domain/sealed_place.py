"""Where beside credentials something can lie sealed: in the configs of runs, and of versions of definitions."""

from dataclasses import dataclass

import msgspec

from events.ids import AgentId, RunId
from hosting.domain.scope import TenantId


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """The config of a run, or with a version that of a definition."""

    tenant: TenantId
    owner: str
    version: int | None = None

    @classmethod
    def of_run(cls, tenant: TenantId, run_id: RunId) -> "SealedPlace":
        """Return the place of a run's config."""
        return cls(tenant, run_id)

    @classmethod
    def of_definition(cls, tenant: TenantId, agent_id: AgentId, version: int = 0) -> "SealedPlace":
        """Return the place of a definition's config; what is sealed for one version is for all."""
        return cls(tenant, agent_id, version)

    @property
    def context(self) -> bytes:
        """What is sealed there is for: elsewhere it opens nothing."""
        kind = "run" if self.version is None else "definition"
        return msgspec.json.encode((kind, self.tenant, self.owner))
