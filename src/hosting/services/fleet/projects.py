"""The projects that there is work for."""

from hosting.domain.scope import TenantId
from hosting.services.fleet.core import Fleet


async def projects_of(fleet: Fleet, tenant: TenantId) -> list[str]:
    """Return the projects that a tenant's agents for workers name, each once and in order of their names.

    Raises:
        StorageUnavailable: nobody can tell now.
    """
    agents = fleet.runtime.agents
    stored = await agents.defined.of(tenant).for_workers()
    terms = [each.terms for each in agents.registered().values()] + [each.config.terms for each in stored]
    return sorted({each.project for each in terms if each is not None and each.project is not None})
