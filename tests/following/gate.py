"""A gate before the commit: what a transaction has written waits there, whole and not yet true."""

import asyncio
import threading
from typing import Any, Protocol

import asyncpg

from tests.harness.raw_store import RawStore

_LOCK = 20_26


class Gate(Protocol):
    """Holds commits while it is shut."""

    async def prepare(self) -> None:
        """Get ready, once the server has made its tables."""

    async def shut(self) -> None:
        """Hold the next commit."""

    async def held(self) -> None:
        """Wait until a commit is held."""

    async def open(self) -> None:
        """Let it through, and all that follow."""

    async def dismantle(self) -> None:
        """Leave nothing held."""


class SqliteGate:
    """Stops the writer's thread as its COMMIT begins to run."""

    def __init__(self) -> None:
        self._is_open = threading.Event()
        self._is_open.set()
        self._holds = threading.Event()

    def on_connect(self, connection: Any) -> None:
        """Watch a connection's statements."""
        connection.set_trace_callback(self._trace)

    async def prepare(self) -> None:
        """Nothing to do."""

    async def shut(self) -> None:
        self._holds.clear()
        self._is_open.clear()

    async def held(self) -> None:
        assert await asyncio.to_thread(self._holds.wait, 10)

    async def open(self) -> None:
        self._is_open.set()

    async def dismantle(self) -> None:
        self._is_open.set()

    def _trace(self, statement: str) -> None:
        if statement.strip().upper() == "COMMIT" and not self._is_open.is_set():
            self._holds.set()
            self._is_open.wait(30)


class PostgresGate:
    """Lets a deferred trigger, which runs as the commit begins, wait for a lock that the gate takes."""

    def __init__(self, database_url: str) -> None:
        self._address = database_url.replace("postgresql+asyncpg://", "postgresql://")
        self._store = RawStore(database_url)
        self._keeper: asyncpg.Connection | None = None

    async def prepare(self) -> None:
        await self._store.run(
            "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({_LOCK}); RETURN NULL; END $$"
        )
        await self._store.run(
            "CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION wait_at_gate()"
        )
        self._keeper = await asyncpg.connect(self._address)

    async def shut(self) -> None:
        assert self._keeper is not None
        await self._keeper.execute(f"SELECT pg_advisory_lock({_LOCK})")

    async def held(self) -> None:
        async with asyncio.timeout(10):
            while True:
                if await self._store.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
                    return
                await asyncio.sleep(0.01)

    async def open(self) -> None:
        assert self._keeper is not None
        await self._keeper.execute(f"SELECT pg_advisory_unlock({_LOCK})")

    async def dismantle(self) -> None:
        if self._keeper is not None:
            await self._keeper.close()
