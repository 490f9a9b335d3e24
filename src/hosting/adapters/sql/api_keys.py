"""Keys of callers on SQL."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, bindparam, select, update

from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.faults import all_unavailable
from hosting.adapters.sql.fleet_tables import workers
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import api_keys
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.domain.api_key import ApiKey
from hosting.domain.identity import Role
from hosting.domain.scope import TenantId
from hosting.domain.standing import Standing

T = TypeVar("T")

_VALID: Final = select(api_keys).where(api_keys.c.hash == bindparam("given"), api_keys.c.revoked_at.is_(None))
_REGISTERED: Final = (
    select(api_keys.c.revoked_at)
    .select_from(workers.outerjoin(api_keys, workers.c.key_id == api_keys.c.id))
    .where(workers.c.registration_id == bindparam("registration"))
)
_ALL: Final = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
_OF_TENANT: Final = _ALL.where(api_keys.c.tenant == bindparam("owner"))
_ONE: Final = select(api_keys).where(api_keys.c.id == bindparam("key"))
_REVOKE: Final = (
    update(api_keys)
    .where(api_keys.c.id == bindparam("key"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


class SqlApiKeys:
    """See the door, ApiKeys."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, key: ApiKey, key_hash: str) -> None:
        """See ApiKeys.add."""
        await self._surely(lambda connection: _add(connection, key, key_hash))

    async def find(self, key_hash: str) -> ApiKey | None:
        """See ApiKeys.find."""
        return next(map(_to_key, await all_unavailable(rows(self._reading, _VALID, given=key_hash))), None)

    async def standing(self, registration_id: str) -> Standing:
        """See ApiKeys.standing."""
        found = await all_unavailable(rows(self._reading, _REGISTERED, registration=registration_id))
        if not found:
            return Standing.GONE
        return Standing.GOOD if found[0].revoked_at is None else Standing.WITHDRAWN

    async def listed(self, tenant: TenantId | None = None) -> list[ApiKey]:
        """See ApiKeys.listed."""
        found = await (rows(self._reading, _OF_TENANT, owner=tenant) if tenant else rows(self._reading, _ALL))
        return [_to_key(row) for row in found]

    async def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        """See ApiKeys.revoke."""
        return await self._surely(lambda connection: _revoke(connection, key_id, at))

    async def _surely(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._transactor.run(work)
        except CommitUnknown:
            # Done once more, it changes nothing where it was done already.
            return await self._transactor.run(work)


def _add(connection: Connection, key: ApiKey, key_hash: str) -> None:
    row = {
        "id": key.id,
        "hash": key_hash,
        "tenant": key.tenant,
        "role": key.role,
        "project": key.project,
        "shown": key.shown,
        "created_at": to_ticks(key.created_at),
        "revoked_at": None if key.revoked_at is None else to_ticks(key.revoked_at),
    }
    connection.execute(insert_if_absent(connection.dialect.name, api_keys), row)


def _revoke(connection: Connection, key_id: str, at: datetime) -> ApiKey | None:
    connection.execute(_REVOKE, {"key": key_id, "at": to_ticks(at)})
    return next(map(_to_key, connection.execute(_ONE, {"key": key_id})), None)


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        tenant=TenantId(row.tenant),
        role=Role(row.role),
        project=row.project,
        shown=row.shown,
        created_at=from_ticks(row.created_at),
        revoked_at=None if row.revoked_at is None else from_ticks(row.revoked_at),
    )
