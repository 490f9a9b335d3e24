"""Sealing anew what an older key has sealed, so that the older key can go: credentials, and secrets elsewhere."""

from dataclasses import dataclass

from hosting.domain.audit_entry import AuditAction
from hosting.domain.credential import Credential
from hosting.domain.credential_errors import SealBroken
from hosting.domain.identity import Identity
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.sealed import resealed
from hosting.domain.sealed_place import SealedPlace
from hosting.services.credentials.core import Credentials


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """How many rows were sealed anew with the newest key, and how many nobody can open any more."""

    key_id: str
    rekeyed: int
    unreadable: int


async def rekey(credentials: Credentials, identity: Identity) -> Rekeyed:
    """Seal what older keys have sealed with the newest one; what somebody changes meanwhile is sealed with it anyway.

    For the tenant of who runs the server it is that of all tenants: otherwise no key could ever be taken away.

    Raises:
        SealKeyMissing, StorageUnavailable: see the doors; what was sealed anew by then stays so.
    """
    key_id = credentials.cipher.key_id
    tenant = None if identity.tenant == LOCAL_TENANT else identity.tenant
    rekeyed = unreadable = 0
    found = await credentials.store.sealed_otherwise(key_id, tenant, None)
    while found:
        for each in found:
            try:
                rekeyed += await _reseal(credentials, each)
            except SealBroken:
                unreadable += 1
        found = await credentials.store.sealed_otherwise(key_id, tenant, found[-1])
    for place in await credentials.configs.places(tenant):
        try:
            rekeyed += await _reseal_config(credentials, place, key_id)
        except SealBroken:
            unreadable += 1
    credentials.trail.note(identity, AuditAction.REKEYED)
    return Rekeyed(key_id, rekeyed, unreadable)


async def _reseal_config(credentials: Credentials, place: SealedPlace, key_id: str) -> bool:
    config, cipher = await credentials.configs.config(place), credentials.cipher

    def anew(sealed: bytes) -> bytes:
        if cipher.sealed_by(sealed) == key_id:
            return sealed
        return cipher.seal(cipher.open(sealed, place.context), place.context)

    if config is None or (after := resealed(config, anew)) == config:
        return False
    return await credentials.configs.replace(place, config, after)


async def _reseal(credentials: Credentials, credential: Credential) -> bool:
    cipher = credentials.cipher
    sealed = cipher.seal(cipher.open(credential.sealed, credential.context), credential.context)
    return await credentials.store.reseal(credential, sealed, cipher.sealed_by(sealed))
