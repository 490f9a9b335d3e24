"""The door to the keys of callers."""

from datetime import datetime
from typing import Protocol

from hosting.domain.api_key import ApiKey
from hosting.domain.scope import TenantId
from hosting.domain.standing import Standing


class ApiKeys(Protocol):
    """The keys of all tenants, known by their hashes; whatever changes something is durable when it returns.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, key: ApiKey, key_hash: str) -> None:
        """Store a new key; stored once more, it changes nothing."""
        ...

    async def find(self, key_hash: str) -> ApiKey | None:
        """Return the key with this hash, unless it was revoked."""
        ...

    async def standing(self, registration_id: str) -> Standing:
        """Say whether a worker is registered still, and whether the key that stands for it is good."""
        ...

    async def listed(self, tenant: TenantId | None = None) -> list[ApiKey]:
        """Return the keys of a tenant, or of all, the oldest first; revoked ones too."""
        ...

    async def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        """Let a key open nothing from now on, and return it as it is then; None without one.

        A key that was revoked before keeps the time of that.
        """
        ...
