"""The environment map that somebody who works for a tenant takes along."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from events.ids import SessionId
from hosting.domain.admission import Forbidden
from hosting.domain.audit_entry import AuditAction
from hosting.domain.credential import ALL, Layer, Place
from hosting.domain.errors import Conflict, Invalid, NotFound
from hosting.domain.identity import Identity
from hosting.domain.secret import Secret
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.environment import SealedVault

GOOD_FOR: Final = timedelta(hours=1)
"""How long an environment map is good, unless a change is told before."""

_REFUSALS: Final = (Conflict, Forbidden, Invalid, NotFound)
_LONGEST: Final = 128
_REPLACED: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An environment map, and when to take the next one."""

    env: Mapping[str, Secret] = field(repr=False)
    refresh_until: datetime


async def take_snapshot(credentials: Credentials, identity: Identity, place: Place) -> Snapshot:
    """Return what counts in a place of the caller's tenant.

    Raises:
        CredentialUnreadable, SealKeyMissing, StorageUnavailable: see the door, Vault.
    """
    env = await SealedVault(credentials.store, credentials.cipher).environment(place)
    layer = Layer(place.project, place.environment, place.session)
    credentials.trail.note(identity, AuditAction.SNAPSHOT, layer=layer, names=tuple(env))
    return Snapshot(env, credentials.runtime.clock() + GOOD_FOR)


def check_tenant(credentials: Credentials, identity: Identity, asked: str) -> None:
    """Make sure that somebody asks for its own tenant's; the audit keeps it when it does not.

    Raises:
        Forbidden: it asks for another's.
    """
    if asked != identity.tenant:
        credentials.trail.note(identity, AuditAction.REFUSED, asked=asked[:_LONGEST])
        raise Forbidden("`orgId` is not the organization of this key.")


@contextmanager
def refusals_noted(credentials: Credentials, identity: Identity, layer: Layer = ALL) -> Iterator[None]:
    """Write down what keeps somebody from an environment map that it asks for, whatever it is."""
    try:
        yield
    except Exception as error:
        action = AuditAction.REFUSED if isinstance(error, _REFUSALS) else AuditAction.FAILED
        credentials.trail.note(identity, action, layer=layer)
        raise


def asked_layer(project: str | None, environment: str, session: str | None) -> Layer:
    """Return where somebody asks to be given something, in its own words; none of that need be there.

    What no store takes of it is replaced: it may be asked for, and is refused, and that is written down.
    """
    asked = None if session is None else SessionId(session[:_LONGEST].replace("\0", _REPLACED))
    return Layer(project, environment.replace("\0", _REPLACED), asked)
