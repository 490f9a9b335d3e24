"""Opening a database: what is refused, what is migrated, and what two servers may do."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hosting.domain.errors import StorageRefused, StorageUnavailable
from tests.harness.postgres import PostgresCluster
from tests.store.units import add_notes, execute, log, make_branch, opened, said, stored


async def test_a_second_server_on_one_sqlite_file_is_refused_and_told_why(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database:
        branch = await make_branch(database)

        with pytest.raises(StorageRefused, match="Another Branchline server is using"):
            async with opened(sqlite_url):
                pass
        await stored(database.events, add_notes(branch, "undisturbed"))

        assert said(await log(database, branch)) == ["", "undisturbed"]


async def test_a_sqlite_file_is_free_again_once_its_server_has_gone(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database:
        branch = await make_branch(database)

    async with opened(sqlite_url) as database:
        assert said(await log(database, branch)) == [""]


async def test_a_reader_that_comes_to_be_waits_for_no_writer(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database:
        branch = await make_branch(database)

        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            logs = await asyncio.gather(*[log(database, branch) for _ in range(8)])
            other.execute("ROLLBACK")

    assert [said(each) for each in logs] == [[""]] * 8


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite",
        "sqlite:///x.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:////no/such/folder/x.db",
        "postgresql://localhost/x",
        "postgres://localhost/x",
        "mysql+aiomysql://localhost/x",
        "postgresql+asyncpg://localhost:port/x",
    ],
)
async def test_another_kind_of_address_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StorageRefused):
        async with opened(url):
            pass

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://postgres@127.0.0.1:1/x",
        "postgresql+asyncpg://postgres@/x?host=/no/such/folder",
    ],
)
async def test_a_postgresql_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(StorageUnavailable):
        async with opened(url):
            pass


async def test_a_postgresql_without_this_database_is_told(postgres_url: str) -> None:
    missing = postgres_url.replace("/test_", "/missing_")

    with pytest.raises((StorageUnavailable, StorageRefused)):
        async with opened(missing):
            pass


async def test_an_option_that_postgresql_does_not_know_is_refused(postgres_url: str) -> None:
    with pytest.raises(StorageRefused, match="sslmode"):
        async with opened(f"{postgres_url}&sslmode=require"):
            pass


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database, but long enough to be looked at" * 100)

    with pytest.raises((StorageUnavailable, StorageRefused)):
        async with opened(f"sqlite+aiosqlite:///{tmp_path}/x.db"):
            pass


async def test_migrating_what_is_migrated_changes_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        branch = await make_branch(database)
        await stored(database.events, add_notes(branch, "kept"))
        before = await execute(database_url, "SELECT * FROM alembic_version")

    async with opened(database_url) as database:
        assert said(await log(database, branch)) == ["", "kept"]

    assert before == await execute(database_url, "SELECT * FROM alembic_version")
    assert len(before) == 1


async def test_two_servers_that_migrate_one_postgresql_at_once_both_come_up(postgres: PostgresCluster) -> None:
    url = postgres.url(await postgres.create_bare_database())

    async def come_up() -> int:
        async with opened(url) as database:
            return database.writers

    assert await asyncio.gather(*(come_up() for _ in range(3))) == [2, 2, 2]


async def test_a_postgresql_that_went_away_is_unavailable_and_taken_up_again(postgres_url: str) -> None:
    name = postgres_url.split("/")[3].split("?", maxsplit=1)[0]
    elsewhere = postgres_url.replace(name, "postgres")
    async with opened(postgres_url) as database:
        branch = await make_branch(database)
        await execute(elsewhere, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await execute(
            elsewhere, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :name", name=name
        )

        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                await database.events.commit([add_notes(branch, "lost")])
            with pytest.raises(StorageUnavailable):
                await database.log.head(branch.key)
            with pytest.raises(StorageUnavailable):
                await database.ping()
        await execute(elsewhere, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')

        await stored(database.events, add_notes(branch, "kept"))
        assert said(await log(database, branch)) == ["", "kept"]
