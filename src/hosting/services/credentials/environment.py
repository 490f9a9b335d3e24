"""Environment maps: what counts in a place, opened."""

from collections.abc import Mapping

from hosting.domain.credential import Credential, Place, merge
from hosting.domain.credential_errors import CredentialUnreadable, SealBroken
from hosting.domain.secret import Secret
from hosting.ports.credentials import Cipher, CredentialStore


class SealedVault:
    """See the door, Vault: picks what counts, and opens nothing else."""

    def __init__(self, store: CredentialStore, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    async def environment(self, place: Place) -> Mapping[str, Secret]:
        """See Vault.environment."""
        self._cipher.check()
        counting = merge(await self._store.holding(place), place)
        return {name: self._opened(credential) for name, credential in sorted(counting.items())}

    async def credential(self, place: Place, name: str) -> Secret | None:
        """See Vault.credential."""
        self._cipher.check()
        counting = merge(await self._store.holding(place, name), place).get(name)
        return None if counting is None else self._opened(counting)

    def _opened(self, credential: Credential) -> Secret:
        try:
            return Secret(self._cipher.open(credential.sealed, credential.context).decode())
        except SealBroken as error:
            raise CredentialUnreadable(credential.name, error) from error
