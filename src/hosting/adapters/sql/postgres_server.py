"""A PostgreSQL server: its connections and its migrations."""

import asyncio
from contextlib import suppress
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hosting.adapters.sql.migrate import migrate

_CONNECTIONS: Final = 12
_MIGRATION_LOCK: Final = 7_235_409
_CONNECT_SECONDS: Final = 10.0


def postgres_engine(url: URL, *, lease_seconds: float) -> AsyncEngine:
    """Return an engine whose transactions end before a lease does: a stopped process must not hold a branch row."""
    patience = f"{int(lease_seconds * 800)}ms"
    settings = {
        "application_name": "branchline",
        "idle_in_transaction_session_timeout": patience,
        "lock_timeout": patience,
        "statement_timeout": patience,
        "synchronous_commit": "on",
    }
    return create_async_engine(
        url,
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        # Whoever waits longer for a connection than for an answer is better told to come again.
        pool_timeout=lease_seconds,
        # An error would show what somebody said, and the log has it then.
        hide_parameters=True,
        connect_args={
            "server_settings": settings,
            "timeout": min(lease_seconds, _CONNECT_SECONDS),
            # Told by our clock, for when the server's answer does not arrive at all.
            "command_timeout": lease_seconds,
        },
    )


async def migrate_postgres(url: URL) -> None:
    """Apply what the database lacks; of several servers that start at once, one does it and the others wait."""
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": _CONNECT_SECONDS})
    async with engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        await connection.run_sync(migrate)


async def dispose(engine: AsyncEngine, within_seconds: float) -> None:
    """Close all connections, politely if the server answers in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            await engine.dispose()
