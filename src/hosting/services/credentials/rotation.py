"""Telling that credentials were changed elsewhere."""

from dataclasses import dataclass
from datetime import datetime

from hosting.domain.audit_entry import AuditAction
from hosting.domain.identity import Identity
from hosting.services.credentials.core import Credentials


@dataclass(frozen=True, slots=True)
class Rotated:
    """Something that was announced, and how many sessions are worked on that it concerns."""

    kind: str
    sessions: int
    at: datetime


async def announce_rotation(credentials: Credentials, identity: Identity, kind: str) -> Rotated:
    """Tell all who follow the caller's tenant that what they have of a kind is to be taken anew.

    Raises:
        StorageUnavailable: nobody was told.
    """
    now = credentials.runtime.clock()
    change = await credentials.changes.announce(identity.tenant, kind, now)
    credentials.trail.note(identity, AuditAction.ROTATED, names=(kind,))
    credentials.news.poke()
    return Rotated(kind, await credentials.changes.sessions(identity.tenant), change.at)
