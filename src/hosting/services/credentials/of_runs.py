"""The credentials of runs: those of the tenant, the agent's project, the server's environment and the session."""

from hosting.domain.credential import Layer, Place, is_blocked
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.ports.credentials import Cipher, CredentialStore
from hosting.services.credentials.environment import SealedVault
from hosting.services.credentials.trail import Trail


class CredentialsOfRuns:
    """See the door, RunVault; nothing is kept, so that what was changed counts at once, and what is given is noted."""

    def __init__(self, store: CredentialStore, cipher: Cipher, environment: str, trail: Trail) -> None:
        self._store = store
        self._vault = SealedVault(store, cipher)
        self._environment = environment
        self._trail = trail

    async def credential(self, run: Run, project: str | None, name: str) -> Secret | None:
        """See RunVault.credential."""
        place = Place(run.scope.tenant, project, self._environment, run.scope.session_id)
        found = await self._vault.credential(place, name)
        if found is not None:
            self._trail.note_use(run, Layer(project, self._environment, run.scope.session_id), name)
        return found

    async def names(self, tenant: TenantId, project: str | None) -> frozenset[str]:
        """See RunVault.names."""
        return frozenset(
            label.name
            for label in await self._store.listed(tenant)
            if label.layer.project in {None, project}
            and label.layer.environment in {None, self._environment}
            and not is_blocked(label.name)
        )
