"""The audit of credentials on SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select

from events.ids import SessionId
from hosting.adapters.sql.credential_tables import credential_audit
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.audit_entry import AuditAction, AuditEntry
from hosting.domain.credential import Layer
from hosting.domain.scope import TenantId


class SqlCredentialAudit:
    """See the door, AuditLog."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """See AuditLog.add."""
        written = [_to_row(entry) for entry in entries]

        def work(connection: Connection) -> None:
            connection.execute(insert_if_absent(connection.dialect.name, credential_audit), written)

        await self._transactor.run(work)

    async def entries(self, tenant: TenantId, most: int, before: int | None = None) -> list[AuditEntry]:
        """See AuditLog.entries."""
        wanted = select(credential_audit).where(credential_audit.c.tenant == tenant)
        if before is not None:
            wanted = wanted.where(credential_audit.c.number < before)
        newest = wanted.order_by(credential_audit.c.number.desc()).limit(most)
        return [_to_entry(row) for row in await rows(self._reading, newest)]

    async def forget(self, before: datetime) -> None:
        """See AuditLog.forget."""
        old = delete(credential_audit).where(credential_audit.c.at < to_ticks(before))
        await self._transactor.run(lambda connection: connection.execute(old))


def _to_row(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "tenant": entry.tenant,
        "at": to_ticks(entry.at),
        "action": entry.action,
        "by": entry.by,
        "project": entry.layer.project,
        "environment": entry.layer.environment,
        "session_id": entry.layer.session,
        "names": msgspec.json.encode(entry.names),
        "asked": entry.asked,
    }


def _to_entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        tenant=TenantId(row.tenant),
        at=from_ticks(row.at),
        action=AuditAction(row.action),
        by=row.by,
        layer=Layer(row.project, row.environment, None if row.session_id is None else SessionId(row.session_id)),
        names=msgspec.json.decode(row.names, type=tuple[str, ...]),
        asked=row.asked,
        number=row.number,
    )
