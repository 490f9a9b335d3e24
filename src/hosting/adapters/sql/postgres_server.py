"""A PostgreSQL server: its connections and its migrations."""

import asyncio
from contextlib import suppress
from typing import Final

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hosting.adapters.sql.migrate import migrate

_CONNECTIONS: Final = 12
_MIGRATION_LOCK: Final = 7_235_409
_CONNECT_SECONDS: Final = 10.0
_BOUNDS_TRANSACTIONS: Final = 17
"""The version that learned it (https://www.postgresql.org/docs/17/release-17.html)."""


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
    engine = create_async_engine(
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
    whole = f"{int(lease_seconds * 1000)}ms"
    event.listen(engine.sync_engine, "connect", lambda made, _: made.run_async(lambda driver: _bound(driver, whole)))
    return engine


async def _bound(driver: asyncpg.Connection, patience: str) -> None:
    """End whole transactions in time as well, where PostgreSQL can do that.

    To the other timeouts a process that was stopped between two messages of one statement is neither idle nor busy.
    """
    if driver.get_server_version().major >= _BOUNDS_TRANSACTIONS:
        # A connection that is lost at this moment fails whoever uses it next, in words that are understood there.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await driver.execute(f"SET transaction_timeout = '{patience}'")


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
