"""The doors to credentials: what seals them, where they are stored, and what reads them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

from hosting.domain.audit_entry import AuditEntry
from hosting.domain.credential import Credential, CredentialLabel, Layer, Place
from hosting.domain.credential_change import CredentialChange
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.sealed_place import SealedPlace
from hosting.domain.secret import Secret


class Cipher(Protocol):
    """Seals bytes so that only a server with its key reads them, and only for what they were sealed for.

    `context` says for what that is: whose it is, and where it lies. It is not in what is sealed; who opens it says the
    same context, so that bytes that were moved elsewhere open nothing.

    Raises:
        SealKeyMissing: there is no key at all.
        SealKeyUnusable: there are keys to open with, but whoever sealed with them now might lose what is sealed.
    """

    @property
    def key_id(self) -> str:
        """The key that seals now: the newest."""
        ...

    def check(self) -> None:
        """Make sure that there are keys to open with; there may be none to seal with at that time."""
        ...

    def lacks(self, key_id: str) -> bool:
        """Say whether nothing that this key has sealed can be opened; it never raises."""
        ...

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Return bytes that show nothing of `plain` but its length; never the same ones twice."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Undo `seal`.

        Raises:
            SealBroken: they were changed, or sealed for something else.
            SealKeyGone: the key that they were sealed with is no more.
        """
        ...

    def sealed_by(self, sealed: bytes) -> str:
        """Return the id of the key that bytes say they were sealed with.

        Raises:
            SealBroken: they say none.
        """
        ...


class Vault(Protocol):
    """What whoever works in a place is given: its tenant's credentials, and nothing of anybody else's.

    Raises:
        StorageUnavailable: nobody can tell now.
        CredentialUnreadable: one that counts there cannot be read; a broader one does not take its place.
        SealKeyMissing: this server has no key.
    """

    async def environment(self, place: Place) -> Mapping[str, Secret]:
        """Return all that counts there, by name."""
        ...

    async def credential(self, place: Place, name: str) -> Secret | None:
        """Return the one of this name; None without one."""
        ...


class RunVault(Protocol):
    """What runs are given: the credentials of the place that each of them is in.

    Raises:
        StorageUnavailable, LeaseLost: nobody can tell now.
        CredentialUnreadable, SealKeyMissing: see Vault.
    """

    async def credential(self, run: Run, project: str | None, name: str) -> Secret | None:
        """Return what a run of an agent of this project has under a name; None without it."""
        ...

    async def names(self, tenant: TenantId, project: str | None) -> frozenset[str]:
        """Return the names of what runs of agents of a project can have, in whichever session; opens nothing."""
        ...


class Kept(Enum):
    """What became of a credential that was to be stored."""

    STORED = "stored"
    FULL = "full"
    SESSION_GONE = "session gone"


class CredentialStore(Protocol):
    """Credentials of all tenants, sealed; whatever changes something is durable when it returns, as is its change.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def put(self, credential: Credential) -> Kept:
        """Store a credential in place of what had its name in its layer."""
        ...

    async def remove(self, tenant: TenantId, layer: Layer, name: str, at: datetime) -> bool:
        """Delete a credential; False when there is none."""
        ...

    async def listed(self, tenant: TenantId) -> list[CredentialLabel]:
        """Return a tenant's credentials by name, and of one name the broader ones first."""
        ...

    async def holding(self, place: Place, name: str | None = None) -> list[Credential]:
        """Return those of all layers that hold in a place; with a name, those of that name."""
        ...

    async def key_ids(self) -> list[str]:
        """Return the keys that credentials of all tenants are sealed with."""
        ...

    async def sealed_otherwise(
        self, key_id: str, tenant: TenantId | None, behind: CredentialLabel | None
    ) -> list[Credential]:
        """Return some of a tenant's, or of all, that are sealed with another key than this one.

        `behind` is the last of those that were returned before; none come when none are left behind it.
        """
        ...

    async def reseal(self, credential: Credential, sealed: bytes, key_id: str) -> bool:
        """Put what is sealed anew in place of what a credential has; False when it was changed meanwhile."""
        ...


class SealedConfigs(Protocol):
    """What lies sealed beside credentials, of all tenants: in definitions, and in runs that have not ended.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def places(self, tenant: TenantId | None) -> list[SealedPlace]:
        """Return where that can be, of a tenant or of all."""
        ...

    async def config(self, place: SealedPlace) -> bytes | None:
        """Return what is there; None when nothing is any more."""
        ...

    async def replace(self, place: SealedPlace, before: bytes, after: bytes) -> bool:
        """Put a config in place of one; False when something else is there by now."""
        ...


class CredentialChanges(Protocol):
    """What has changed among credentials, numbered by tenant without a gap; the last thousand are kept.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def announce(self, tenant: TenantId, kind: str, at: datetime) -> CredentialChange:
        """Record that something was changed elsewhere, which concerns the whole tenant."""
        ...

    async def heads(self, tenants: Collection[TenantId]) -> Mapping[TenantId, int]:
        """Return the number of the last change of each tenant that has one."""
        ...

    async def since(self, tenant: TenantId, number: int) -> list[CredentialChange]:
        """Return the changes behind a number, in their order."""
        ...

    async def sessions(self, tenant: TenantId) -> int:
        """Count the sessions of a tenant that workers work on."""
        ...


class AuditLog(Protocol):
    """The audit of all tenants; an entry is only added.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Write entries down; those written before are left as they are."""
        ...

    async def entries(self, tenant: TenantId, most: int, before: int | None = None) -> list[AuditEntry]:
        """Return a tenant's entries, the last first; with `before`, those of smaller numbers."""
        ...

    async def forget(self, before: datetime) -> None:
        """Delete the entries from before a time."""
        ...
