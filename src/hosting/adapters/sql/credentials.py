"""Credentials on SQL; values are sealed before they come here."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, tuple_, update

from events.ids import SessionId
from hosting.adapters.sql.credential_changes import record_change
from hosting.adapters.sql.credential_tables import credentials
from hosting.adapters.sql.dialect import upsert
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import sessions
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.domain.credential import MOST_OF_TENANT, Credential, CredentialLabel, Layer, Place
from hosting.domain.credential_change import DELETED, SET
from hosting.domain.scope import TenantId
from hosting.ports.credentials import Kept

T = TypeVar("T")

_C: Final = credentials.c
_OF_TENANT: Final = select(credentials).where(_C.tenant == bindparam("owner"))
_LABELS: Final = select(*(column for column in _C if column is not _C.sealed)).where(_C.tenant == bindparam("owner"))
_ORDER: Final = (_C.tenant, _C.layer, _C.name)
_KEY_IDS: Final = select(_C.key_id).distinct().order_by(_C.key_id)
_AT_ONCE: Final = 50
_ONE: Final = (
    _C.tenant == bindparam("owner"),
    _C.layer == bindparam("place"),
    _C.name == bindparam("known_as"),
)
_THERE: Final = select(_C.name).where(*_ONE)
_REMOVE: Final = delete(credentials).where(*_ONE)
_RESEAL: Final = (
    update(credentials)
    .where(*_ONE, _C.sealed == bindparam("before"))
    .values(sealed=bindparam("after"), key_id=bindparam("with_key"))
)
_SESSION: Final = (
    select(sessions.c.id)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    # Who deletes the session meanwhile waits, and takes this row along.
    .with_for_update(read=True, key_share=True)
)


class _Unkept(Exception):
    """Ends a transaction that is not to be committed."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept


class SqlCredentials:
    """See the door, CredentialStore."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def put(self, credential: Credential) -> Kept:
        """See CredentialStore.put."""
        try:
            await self._surely(lambda connection: _put(connection, credential))
        except _Unkept as unkept:
            return unkept.kept
        return Kept.STORED

    async def remove(self, tenant: TenantId, layer: Layer, name: str, at: datetime) -> bool:
        """See CredentialStore.remove."""
        return await self._surely(lambda connection: _remove(connection, tenant, layer, name, at))

    async def listed(self, tenant: TenantId) -> list[CredentialLabel]:
        """See CredentialStore.listed."""
        found = [CredentialLabel(**_label(row)) for row in await rows(self._reading, _LABELS, owner=tenant)]
        return sorted(found, key=lambda each: (each.name, each.layer.rank, each.layer.text))

    async def holding(self, place: Place, name: str | None = None) -> list[Credential]:
        """See CredentialStore.holding."""
        wanted = _OF_TENANT.where(
            or_(_C.project.is_(None), _C.project == place.project),
            or_(_C.environment.is_(None), _C.environment == place.environment),
            or_(_C.session_id.is_(None), _C.session_id == place.session),
        )
        if name is not None:
            wanted = wanted.where(_C.name == name)
        return [_to_credential(row) for row in await rows(self._reading, wanted, owner=place.tenant)]

    async def key_ids(self) -> list[str]:
        """See CredentialStore.key_ids."""
        return [row.key_id for row in await rows(self._reading, _KEY_IDS)]

    async def sealed_otherwise(
        self, key_id: str, tenant: TenantId | None, behind: CredentialLabel | None
    ) -> list[Credential]:
        """See CredentialStore.sealed_otherwise."""
        wanted = select(credentials).where(_C.key_id != key_id).order_by(*_ORDER).limit(_AT_ONCE)
        if tenant is not None:
            wanted = wanted.where(_C.tenant == tenant)
        if behind is not None:
            wanted = wanted.where(tuple_(*_ORDER) > tuple_(behind.tenant, behind.layer.text, behind.name))
        return [_to_credential(row) for row in await rows(self._reading, wanted)]

    async def reseal(self, credential: Credential, sealed: bytes, key_id: str) -> bool:
        """See CredentialStore.reseal."""
        given = {**_place(credential.tenant, credential.layer, credential.name), "before": credential.sealed}
        given |= {"after": sealed, "with_key": key_id}
        return await self._surely(lambda connection: bool(connection.execute(_RESEAL, given).rowcount))

    async def _surely(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._transactor.run(work)
        except CommitUnknown as unknown:
            # Done once more, it changes nothing where it was done already, and then finds nothing left to do.
            return await self._transactor.run(work) or unknown.result  # type: ignore[return-value]


def _place(tenant: TenantId, layer: Layer, name: str) -> dict[str, object]:
    return {"owner": tenant, "place": layer.text, "known_as": name}


def _put(connection: Connection, credential: Credential) -> None:
    tenant, layer, name = credential.tenant, credential.layer, credential.name
    session = {"owner": tenant, "session": layer.session}
    if layer.session is not None and connection.execute(_SESSION, session).first() is None:
        raise _Unkept(Kept.SESSION_GONE)
    # First of all: it locks out whoever else changes something of this tenant's, so that the count below holds.
    record_change(connection, tenant, SET, credential.updated_at, names=(name,), layer=layer)
    told = {"sealed": credential.sealed, "key_id": credential.key_id, "updated_at": to_ticks(credential.updated_at)}
    known = {"tenant": tenant, "layer": layer.text, "name": name}
    where = {"project": layer.project, "environment": layer.environment, "session_id": layer.session}
    statement = upsert(connection.dialect, credentials).values(**known, **where, **told)
    connection.execute(statement.on_conflict_do_update(index_elements=list(known), set_=told))
    count = connection.scalar(select(func.count()).where(_C.tenant == tenant)) or 0
    if count > MOST_OF_TENANT:
        raise _Unkept(Kept.FULL)


def _remove(connection: Connection, tenant: TenantId, layer: Layer, name: str, at: datetime) -> bool:
    place = _place(tenant, layer, name)
    if connection.execute(_THERE, place).first() is None:
        return False
    # First, as whoever stores one does it: two who took these locks in different orders would wait for each other.
    record_change(connection, tenant, DELETED, at, names=(name,), layer=layer)
    return bool(connection.execute(_REMOVE, place).rowcount)


def _to_credential(row: Row[Any]) -> Credential:
    # SQLite keeps whatever somebody has put there; what is no bytes opens nothing, and is told like that.
    return Credential(**_label(row), sealed=row.sealed if isinstance(row.sealed, bytes) else b"")


def _label(row: Row[Any]) -> dict[str, Any]:
    session = None if row.session_id is None else SessionId(row.session_id)
    return {
        "tenant": TenantId(row.tenant),
        "layer": Layer(row.project, row.environment, session),
        "name": row.name,
        "key_id": row.key_id,
        "updated_at": from_ticks(row.updated_at),
    }
