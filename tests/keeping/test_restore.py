"""A restored database is another life of the same conversations, and what cannot be one is refused."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from hosting.adapters.sql.migrate import migrate
from hosting.adapters.sql.scratch_file import scratch_file
from hosting.domain.identity import Role
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import check_log
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.identity.office import Office
from tests.keeping.kept import backed_up, command, faults, lives, restored, size, stored, without_life

_WAITS = (
    "SELECT 1 FROM pg_stat_activity "
    "WHERE application_name = 'branchline restore' AND datname = current_database() AND query LIKE '%pg_sleep%'"
)
_KEY = {"Idempotency-Key": "one-and-only"}


async def test_runs_that_wait_wait_on_and_folded_logs_and_answers_to_keys_have_the_new_epoch(
    make_server: Callable[..., ServerProcess], database_url: str, opposite_url: str, tmp_path: Path
) -> None:
    server, store = make_server(database_url, fold_seconds=0.1).start(), RawStore(database_url)
    async with Client(server.url) as client:
        session = await client.session("kept")
        done = await client.http.post(f"{client.path(session)}/inputs", json={"text": "/tokens 500"}, headers=_KEY)
        await client.ended(session, done.json()["runtimeRunId"])
        patience = Patience()
        while not await store.run("SELECT 1 FROM events WHERE packing IS NOT NULL"):
            await patience.wait()
        asking = await client.accepted(session, "/permission")
        async with client.feed(session) as feed:
            question = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
        file = await backed_up(database_url, tmp_path / "backup.db")
        log = await client.log(session)
    await restored(file, opposite_url)
    again = make_server(opposite_url).start()

    async with Client(again.url) as client:
        newer = await client.log(session)
        repeated = await client.http.post(f"{client.path(session)}/inputs", json={"text": "/tokens 500"}, headers=_KEY)
        answered = await client.http.post(
            f"{client.path(session)}/responses",
            json={"type": "PERMISSION_RESPONSE", "permissionId": question["permissionId"], "approved": True},
        )
        async with client.feed(session, after=newer[-1]["eventId"]) as feed:
            await feed.until(completed)
        ended = await client.ended(session, asking["runtimeRunId"])
        whole = await client.log(session)

    assert without_life(newer)[: len(log)] == without_life(log)
    assert not lives(newer) & lives(log)
    assert repeated.headers["Idempotency-Replayed"] == "true"
    (life,) = lives(newer)
    assert repeated.json() == {**done.json(), "position": f"{life}.{done.json()['position'].split('.')[1]}"}
    assert answered.status_code == 200, answered.text
    assert ended["status"] == "completed"
    check_log(whole)


async def test_who_got_a_lease_after_the_backup_holds_nothing_in_what_is_restored(
    make_server: Callable[..., ServerProcess], sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    async def fence(url: str) -> int:
        ((fence,),) = await RawStore(url).run("SELECT fence FROM branches")
        return int(fence)

    async with Client(make_server(sqlite_url).start().url) as client:
        session = await client.session("kept")
        file = await backed_up(sqlite_url, tmp_path / "backup.db")
        for _ in range(3):
            run = await client.accepted(session, "Hello")
            await client.ended(session, run["runtimeRunId"])
    await restored(file, other_url)

    assert await fence(other_url) > 1_000_000 + await fence(sqlite_url)
    assert not await RawStore(other_url).run("SELECT run_id FROM leases")


async def test_what_a_removed_file_has_left_beside_it_does_not_get_into_the_restored_one(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        await client.session("kept")
        file = await backed_up(sqlite_url, tmp_path / "backup.db")
        await client.session("later")
    server.kill()
    database = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    os.unlink(database)
    left = size(f"{database}-wal")

    await restored(file, sqlite_url)

    assert left > 0
    assert stored(database, "PRAGMA integrity_check") == ["ok"]
    assert stored(database, "SELECT id FROM sessions") == ["kept"]


async def test_a_backup_of_an_older_version_is_brought_up_to_date(
    make_server: Callable[..., ServerProcess], other_url: str, tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    with scratch_file(old) as connection:
        migrate(connection, upto="0003")
        connection.exec_driver_sql("INSERT INTO sessions VALUES ('local', 'older', 1, 1, x'7b7d')")

    await restored(old, other_url)

    async with Client(make_server(other_url).start().url) as client:
        assert (await client.http.get("/sessions/older")).status_code == 200


async def test_what_cannot_be_backed_up_or_restored_is_refused_with_a_word(sqlite_url: str, tmp_path: Path) -> None:
    kept, text, other, served = (tmp_path / f"{name}.db" for name in ("kept", "text", "other", "served"))
    await backed_up(sqlite_url, kept)
    text.write_text("This is no database, although it is long enough to look like one." * 100)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    nowhere = f"sqlite+aiosqlite:///{tmp_path}/nowhere.db"
    using = sqlite3.connect(served)
    using.executescript("PRAGMA journal_mode=WAL; CREATE TABLE recipes (name TEXT)")
    tried = [
        (("backup", str(kept)), sqlite_url, "is there already"),
        (("backup", str(tmp_path / "test.db"), "--force"), sqlite_url, "is the database itself"),
        (("backup", str(served), "--force"), sqlite_url, "is a database that is in use"),
        (("backup", str(tmp_path / "new.db")), nowhere, "There is no file"),
        (("backup", str(tmp_path / "new.db")), f"sqlite+aiosqlite:///{other}", "no database of Branchline's"),
        (("backup", str(tmp_path / "none" / "new.db")), sqlite_url, "cannot be made"),
        (("restore", str(text)), nowhere, "cannot be read as a SQLite database"),
        (("restore", str(other)), nowhere, "no backup of Branchline's"),
    ]

    for (name, *arguments), url, told in tried:
        refused = await command(name, *arguments, folder=tmp_path, database=url)
        assert refused.status == 1, told
        assert told in refused.errors
    using.close()
    forced = await command("backup", str(kept), "--force", folder=tmp_path, database=sqlite_url)

    assert forced.status == 0, forced.errors
    assert "The key file is not" in forced.errors
    assert sorted(name for name in os.listdir(tmp_path) if name.endswith(".db")) == [
        "kept.db",
        "other.db",
        "served.db",
        "test.db",
        "text.db",
    ]
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".partial")]


async def test_a_backup_with_damaged_events_is_not_restored(
    make_server: Callable[..., ServerProcess], sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    async with Client(make_server(sqlite_url).start().url) as client:
        await client.session("kept")
    file = await backed_up(sqlite_url, tmp_path / "backup.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE events SET frames = CAST(replace(frames, 'BRANCH', 'BRANCA') AS BLOB)")

    refused = await command("restore", str(file), folder=tmp_path, database=other_url)

    assert refused.status == 1
    assert "is damaged: Events 1 to 1" in refused.errors


async def test_no_server_may_be_on_the_database_that_is_restored(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    server = make_server(database_url).start()
    file = await backed_up(database_url, tmp_path / "backup.db")

    refused = await command("restore", str(file), "--force", folder=tmp_path, database=database_url)
    server.terminate()
    taken = await command("restore", str(file), folder=tmp_path, database=database_url)

    assert (refused.status, taken.status) == (1, 0)
    assert "Branchline server is" in refused.errors


@pytest.mark.parametrize("other_url", ["postgresql"], indirect=True)
async def test_a_database_with_sessions_is_replaced_by_force_alone(
    make_server: Callable[..., ServerProcess], sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    async with Client(make_server(sqlite_url).start().url) as client:
        await client.session("mine")
    file = await backed_up(sqlite_url, tmp_path / "backup.db")
    server = make_server(other_url).start()
    async with Client(server.url) as client:
        await client.session("theirs")
    server.terminate()

    refused = await command("restore", str(file), folder=tmp_path, database=other_url)
    kept = await RawStore(other_url).run("SELECT id FROM sessions")
    await restored(file, other_url, "--force")

    assert refused.status == 1
    assert "The database is not empty" in refused.errors
    assert kept == [("theirs",)]
    assert await RawStore(other_url).run("SELECT id FROM sessions") == [("mine",)]
    async with Client(make_server(other_url).start().url) as client:
        await client.session("next")
        await client.accepted("next", "Hello")


async def test_a_database_without_sessions_may_have_keys_which_are_replaced_by_force_alone(
    make_server: Callable[..., ServerProcess], database_url: str, opposite_url: str, tmp_path: Path
) -> None:
    async with Client(make_server(database_url).start().url) as client:
        await client.session("mine")
    file = await backed_up(database_url, tmp_path / "backup.db")
    server = make_server(opposite_url).start()
    await Office(server, tmp_path / "keys").key("first", Role.USER)
    server.terminate()

    refused = await command("restore", str(file), folder=tmp_path, database=opposite_url)
    kept = await RawStore(opposite_url).run("SELECT tenant FROM api_keys")

    assert refused.status == 1
    assert "The database is not empty" in refused.errors
    assert kept == [("first",)]


@pytest.mark.parametrize("other_url", ["postgresql"], indirect=True)
async def test_tables_of_somebody_else_are_left_alone(
    make_server: Callable[..., ServerProcess], sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    async with Client(make_server(sqlite_url).start().url) as client:
        await client.session("mine")
    await RawStore(sqlite_url).run("CREATE TABLE neighbours (name TEXT)")
    file, theirs = await backed_up(sqlite_url, tmp_path / "backup.db"), RawStore(other_url)
    await theirs.run('CREATE TABLE "Recipes" (name TEXT PRIMARY KEY)')
    await theirs.run('CREATE TABLE steps_of (recipe TEXT REFERENCES "Recipes")')
    await theirs.run("INSERT INTO \"Recipes\" VALUES ('soup')")

    await restored(file, other_url)
    found = await faults(other_url, tmp_path)
    again = await backed_up(other_url, tmp_path / "again.db")

    assert found == ""
    assert await theirs.run('SELECT name FROM "Recipes"') == [("soup",)]
    assert await theirs.run("SELECT id FROM sessions") == [("mine",)]
    with closing(sqlite3.connect(again)) as connection:
        assert connection.execute("SELECT id FROM sessions").fetchall() == [("mine",)]


@pytest.mark.parametrize("other_url", ["postgresql"], indirect=True)
async def test_a_server_that_postgresql_has_not_yet_missed_is_waited_for(
    sqlite_url: str, other_url: str, tmp_path: Path
) -> None:
    file = await backed_up(sqlite_url, tmp_path / "backup.db")
    await restored(file, other_url)
    address = other_url.replace("postgresql+asyncpg://", "postgresql://")
    server = await asyncpg.connect(address, server_settings={"application_name": "branchline"})

    async def waits() -> bool:
        return bool(await RawStore(other_url).run(_WAITS))

    restoring = asyncio.create_task(command("restore", str(file), "--force", folder=tmp_path, database=other_url))
    await seconds_until(waits, within=20)
    await server.close()

    assert (await restoring).status == 0
