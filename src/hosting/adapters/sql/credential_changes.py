"""Changes among credentials on SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from events.ids import SessionId
from hosting.adapters.sql.credential_tables import credential_changes, credential_heads
from hosting.adapters.sql.dialect import upsert
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.domain.credential import ALL, Layer
from hosting.domain.credential_change import CredentialChange
from hosting.domain.scope import TenantId
from hosting.domain.work_item import HELD

KEPT: Final = 1000

_HEADS: Final = select(credential_heads).where(credential_heads.c.tenant.in_(bindparam("wanted", expanding=True)))
_SINCE: Final = (
    select(credential_changes)
    .where(credential_changes.c.tenant == bindparam("owner"), credential_changes.c.number > bindparam("behind"))
    .order_by(credential_changes.c.number)
)
_OLD: Final = delete(credential_changes).where(
    credential_changes.c.tenant == bindparam("owner"), credential_changes.c.number <= bindparam("last")
)
_WORKED_ON: Final = (
    select(func.count()).select_from(work_items).where(work_items.c.tenant == bindparam("owner"))
).where(work_items.c.state.in_(HELD))


class SqlCredentialChanges:
    """See the door, CredentialChanges."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def announce(self, tenant: TenantId, kind: str, at: datetime) -> CredentialChange:
        """See CredentialChanges.announce."""

        def work(connection: Connection) -> CredentialChange:
            return record_change(connection, tenant, kind, at)

        try:
            return await self._transactor.run(work)
        except CommitUnknown:
            # Announced twice, it makes everybody look twice.
            return await self._transactor.run(work)

    async def heads(self, tenants: Collection[TenantId]) -> Mapping[TenantId, int]:
        """See CredentialChanges.heads."""
        found = await rows(self._reading, _HEADS, wanted=sorted(tenants))
        return {TenantId(row.tenant): row.head for row in found}

    async def since(self, tenant: TenantId, number: int) -> list[CredentialChange]:
        """See CredentialChanges.since."""
        return [_to_change(row) for row in await rows(self._reading, _SINCE, owner=tenant, behind=number)]

    async def sessions(self, tenant: TenantId) -> int:
        """See CredentialChanges.sessions."""
        return int((await rows(self._reading, _WORKED_ON, owner=tenant))[0][0])


def record_change(
    connection: Connection, tenant: TenantId, kind: str, at: datetime, *, names: Sequence[str] = (), layer: Layer = ALL
) -> CredentialChange:
    """Record a change within the transaction that makes it; the tenant's other changes wait for its end."""
    head = upsert(connection.dialect, credential_heads).values(tenant=tenant, head=1)
    moved = head.on_conflict_do_update(index_elements=["tenant"], set_={"head": credential_heads.c.head + 1})
    number = int(connection.execute(moved.returning(credential_heads.c.head)).scalar_one())
    change = CredentialChange(tenant, number, kind, tuple(names), layer, at)
    row = {
        "tenant": tenant,
        "number": number,
        "kind": kind,
        "names": msgspec.json.encode(change.names),
        "project": layer.project,
        "environment": layer.environment,
        "session_id": layer.session,
        "at": to_ticks(at),
    }
    connection.execute(insert(credential_changes), row)
    connection.execute(_OLD, {"owner": tenant, "last": number - KEPT})
    return change


def _to_change(row: Row[Any]) -> CredentialChange:
    return CredentialChange(
        tenant=TenantId(row.tenant),
        number=row.number,
        kind=row.kind,
        names=msgspec.json.decode(row.names, type=tuple[str, ...]),
        layer=Layer(row.project, row.environment, None if row.session_id is None else SessionId(row.session_id)),
        at=from_ticks(row.at),
    )
