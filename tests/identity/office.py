"""Where callers get what they show, and the server that it is shown to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes

import httpx
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

from events.ids import random_hex
from hosting.adapters.sql.api_keys import SqlApiKeys
from hosting.adapters.sql.visit import visit_keys
from hosting.domain.api_key import ApiKey, hash_key, make_key
from hosting.domain.identity import Role
from hosting.domain.scope import TenantId
from tests.harness.connections import Connections
from tests.harness.process import ServerProcess
from tests.identity.tokens import claims, tokens_of

SHARED_KEY = "the key that older workers share"


@dataclass(frozen=True)
class Office:
    """A running server, and all that it takes to get past its door."""

    server: ServerProcess
    key_file: Path

    async def key(self, tenant: str, role: Role, project: str | None = None) -> str:
        """Return a new key, as `branchline keys create` makes it beside the server."""
        return (await self.known_key(tenant, role, project))[1]

    async def known_key(self, tenant: str, role: Role, project: str | None = None) -> tuple[ApiKey, str]:
        """Return a new key, and what is known of it."""
        known, key = make_key(
            TenantId(tenant), role, project, secret=token_bytes(32), key_id=f"key_{random_hex()}", now=datetime.now(UTC)
        )
        async with self.keys() as stored:
            await stored.add(known, hash_key(key))
        return known, key.reveal()

    async def revoked_key(self, tenant: str, role: Role) -> str:
        """Return a key that opens nothing any more."""
        known, key = await self.known_key(tenant, role)
        async with self.keys() as stored:
            await stored.revoke(known.id, datetime.now(UTC))
        return key

    async def token(self, tenant: str = "local") -> str:
        """Return the token of a worker that has just registered."""
        async with self.client(await self.key(tenant, Role.WORKER)) as client:
            registered = await client.post("/api/workers/register", json={"hostname": "here"})
        return str(registered.json()["runtimeToken"])

    def expired_token(self) -> str:
        """Return a worker's token that was good until a second ago."""
        return tokens_of(self.key_file).issue(claims(datetime.now(UTC) - timedelta(seconds=1))).reveal()

    @asynccontextmanager
    async def keys(self) -> AsyncIterator[SqlApiKeys]:
        """Open the keys, as a command does it beside the server."""
        async with visit_keys(self.server.database_url, _no_migration) as stored:
            yield stored

    def client(self, shown: str | None = None) -> httpx.AsyncClient:
        """Return a client that shows this, or nothing, with each request."""
        headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30, transport=Connections())

    @asynccontextmanager
    async def without_table_of_keys(self) -> AsyncIterator[None]:
        """Take away what keys are looked up in; everything else stays."""
        await self._execute("ALTER TABLE api_keys RENAME TO api_keys_away")
        yield
        await self._execute("ALTER TABLE api_keys_away RENAME TO api_keys")

    async def _execute(self, statement: str) -> None:
        engine = create_async_engine(self.server.database_url)
        async with engine.begin() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    async def everything(self, *, audit: bool = True) -> dict[str, list[tuple[object, ...]]]:
        """Return all rows of all tables but those of the keys, past the server; the audit also tells of refusals."""
        unasked = {"api_keys", "alembic_version", "leases"} | (set() if audit else {"credential_audit"})
        engine = create_async_engine(self.server.database_url)
        found = MetaData()
        async with engine.connect() as connection:
            await connection.run_sync(found.reflect)
            tables = [name for name in found.tables if name not in unasked]
            rows = {name: (await connection.execute(text(f"SELECT * FROM {name}"))).all() for name in sorted(tables)}
        await engine.dispose()
        return {name: sorted(map(tuple, each), key=repr) for name, each in rows.items()}


def _no_migration(place: str) -> None:
    raise AssertionError(f"a server is on {place}, so it has its tables")
