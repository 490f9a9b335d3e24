"""Setting and deleting credentials."""

from dataclasses import replace

from hosting.domain.audit_entry import AuditAction
from hosting.domain.credential import (
    MOST_OF_TENANT,
    Credential,
    Layer,
    check_layer,
    check_name,
    check_value,
    is_credential_name,
)
from hosting.domain.credential_errors import CredentialNotFound, TooManyCredentials
from hosting.domain.errors import SessionMissing
from hosting.domain.identity import Identity
from hosting.domain.secret import Secret
from hosting.ports.credentials import Cipher, Kept
from hosting.services.credentials.core import Credentials


async def set_credential(
    credentials: Credentials, identity: Identity, layer: Layer, name: str, value: Secret
) -> Credential:
    """Store a value under a name in a layer, in place of what was there.

    Raises:
        CredentialRefused: name, layer or value cannot be one.
        SessionMissing: the layer is a session that is not there.
        TooManyCredentials: the tenant has as many as it may.
        SealKeyMissing, StorageUnavailable: see the doors.
    """
    check_name(name)
    check_layer(layer)
    check_value(value.reveal())
    unsealed = Credential(identity.tenant, layer, name, "", credentials.runtime.clock(), b"")
    credential = sealed_for(credentials.cipher, unsealed, value)
    kept = await credentials.store.put(credential)
    if layer.session is not None and kept is Kept.SESSION_GONE:
        raise SessionMissing(layer.session)
    if kept is Kept.FULL:
        raise TooManyCredentials(MOST_OF_TENANT)
    credentials.trail.note(identity, AuditAction.SET, layer=layer, names=(name,))
    credentials.news.poke()
    return credential


async def delete_credential(credentials: Credentials, identity: Identity, layer: Layer, name: str) -> None:
    """Delete what is under a name in a layer.

    Raises:
        CredentialRefused: there is no such layer.
        CredentialNotFound: nothing is there.
        StorageUnavailable: see the doors.
    """
    check_layer(layer)
    now = credentials.runtime.clock()
    could_be = is_credential_name(name)
    if not could_be or not await credentials.store.remove(identity.tenant, layer, name, now):
        raise CredentialNotFound(name)
    credentials.trail.note(identity, AuditAction.DELETED, layer=layer, names=(name,))
    credentials.news.poke()


def sealed_for(cipher: Cipher, unsealed: Credential, value: Secret) -> Credential:
    """Return a credential with this value, which nothing but its own place opens."""
    sealed = cipher.seal(value.reveal().encode(), unsealed.context)
    return replace(unsealed, sealed=sealed, key_id=cipher.sealed_by(sealed))
