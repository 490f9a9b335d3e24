"""What the fleet's tests do past a server: tokens that grow old, workers that fall silent."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.domain.identity import Role
from hosting.domain.secret import Secret
from tests.harness.client import Client
from tests.harness.worker import FleetWorker
from tests.identity.office import Office
from tests.identity.tokens import tokens_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Gate(Office):
    """An office at whose door workers come and go."""

    def aged(self, token: str) -> str:
        """Return what a worker's token is a second after its end."""
        tokens = tokens_of(self.key_file)
        said = replace(tokens.read(Secret(token)), expires_at=datetime.now(UTC) - timedelta(seconds=1))
        return tokens.issue(said).reveal()

    async def fall_silent(self, worker: FleetWorker, seconds: float) -> None:
        """Put a worker's last heartbeat back."""
        await self.execute(
            "UPDATE workers SET last_heartbeat = last_heartbeat - :ago WHERE id = :id", ago=seconds, id=worker.id
        )

    async def tenant(self, name: str) -> Client:
        """Return a client that is an operator of a tenant."""
        client = Client(self.server.url)
        client.http.headers.update(bearer(await self.key(name, Role.OPERATOR)))
        return client

    async def clear(self) -> None:
        """Take away whatever is shared by all of a tenant: sessions with their runs and work, workers and agents."""
        engine = create_async_engine(self.server.database_url)
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.execute(text("PRAGMA foreign_keys = ON"))
                await connection.commit()
            for table in ("sessions", "workers", "agents", "lane_items"):
                await connection.execute(text(f"DELETE FROM {table}"))
            await connection.commit()
        await engine.dispose()

    async def execute(self, statement: str, **given: object) -> list[tuple[Any, ...]]:
        """Execute something past the server, and return its rows."""
        engine = create_async_engine(self.server.database_url)
        async with engine.begin() as connection:
            result = await connection.execute(text(statement), given)
            found = [tuple(row) for row in result] if result.returns_rows else []
        await engine.dispose()
        return found


def bearer(shown: str) -> dict[str, str]:
    """Return the header that shows something."""
    return {"Authorization": f"Bearer {shown}"}
