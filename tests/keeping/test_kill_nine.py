"""`kill -9` of a backup or a restore leaves nothing half, and what comes next does not stumble over it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.identity.command import begin
from tests.keeping.kept import backed_up, command, restored, size, stored, without_life

_COUNT = "SELECT count(*) FROM events"
_LOADING = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = 'branchline restore' "
    "AND query LIKE 'INSERT INTO events%'"
)


@pytest.fixture
async def full_url(make_server: Callable[..., ServerProcess], database_url: str) -> str:
    """A database that takes a while to copy."""
    return await _filled(make_server, database_url)


@pytest.fixture
async def full_file(make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path) -> Path:
    """A backup that takes a while to restore."""
    await _filled(make_server, sqlite_url)
    return await backed_up(sqlite_url, tmp_path / "backup.db")


async def _filled(make_server: Callable[..., ServerProcess], url: str) -> str:
    server = make_server(url, fold_seconds=86_400).start()
    async with Client(server.url) as client:
        session = await client.session("big")
        run = await client.accepted(session, "/tokens 30000")
        await client.ended(session, run["runtimeRunId"])
    server.terminate()
    return url


Moment = Callable[[], Awaitable[object]]


async def _killed(name: str, file: Path, database: str, when: Moment, *options: str) -> int:
    """Begin a command and kill it at a moment; return its status, which tells if it was done already."""
    with TemporaryFile() as out:
        files = (out.fileno(), out.fileno())
        process = begin(name, str(file), *options, folder=file.parent, files=files, BRANCHLINE_DATABASE_URL=database)
        async with asyncio.timeout(30):
            while process.poll() is None:
                if await when():
                    break
                # More often than `Patience` looks: the moment is short.
                await asyncio.sleep(0.001)
        process.kill()
        return process.wait(20)


def _grown(path: Path, least: int) -> Moment:
    async def is_grown() -> bool:
        return size(path) >= least

    return is_grown


async def test_a_backup_that_is_killed_leaves_no_file_of_its_name(full_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    unfinished = tmp_path / ".backup.db.partial"

    for least in (1, 100_000, 1_000_000, 4_000_000):
        status = await _killed("backup", file, full_url, _grown(unfinished, least))
        assert (status, file.exists()) == (-9, False)
        assert size(unfinished) >= least
    await backed_up(full_url, file)

    assert stored(file, _COUNT) == [(await RawStore(full_url).run(_COUNT))[0][0]]
    assert not unfinished.exists()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_backup_that_was_killed_with_both_of_its_names_is_not_written_over(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = await backed_up(sqlite_url, tmp_path / "backup.db")
    os.link(file, tmp_path / ".backup.db.partial")
    before = await asyncio.to_thread(file.read_bytes)

    refused = await command("backup", str(file), folder=tmp_path, database=sqlite_url)
    failed = await command("backup", str(file), "--force", folder=tmp_path, database=f"{sqlite_url}.none")

    assert (refused.status, failed.status) == (1, 1)
    assert await asyncio.to_thread(file.read_bytes) == before
    assert not size(tmp_path / ".backup.db.partial")


async def test_a_restore_that_is_killed_changes_nothing(
    make_server: Callable[..., ServerProcess], full_file: Path, other_url: str
) -> None:
    if other_url.startswith("sqlite"):
        target = Path(other_url.removeprefix("sqlite+aiosqlite:///"))
        unfinished = target.with_name(f".{target.name}.partial")
        # At the last one all is copied, and gets its new epochs.
        moments = [_grown(unfinished, least) for least in (1, 1_000_000, size(full_file))]
    else:
        store = RawStore(other_url)
        moments = [partial(store.run, _LOADING)] * 2

    for moment in moments:
        assert await _killed("restore", full_file, other_url, moment) == -9
        if other_url.startswith("sqlite"):
            assert size(target) == 0
        else:
            assert (await store.run("SELECT count(*) FROM sessions"))[0][0] == 0
    told = await restored(full_file, other_url)
    server = make_server(other_url).start()

    async with Client(server.url) as client:
        log = await client.log("big")
    assert "1 session with 1 branch" in told.errors
    assert without_life(log)[-1]["type"] == "BRANCH_RUN_COMPLETED"
    assert [event["sequenceNumber"] for event in log] == list(range(1, len(log) + 1))
    assert sum(event["type"] == "TEXT_DELTA" for event in log) == 30000


async def test_a_restore_that_is_killed_over_another_database_leaves_that_one(
    make_server: Callable[..., ServerProcess], full_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    target = tmp_path / "here" / "own.db"
    url = f"sqlite+aiosqlite:///{target}"
    server = make_server(url).start()
    async with Client(server.url) as client:
        await client.session("own")
        beside = await command("restore", str(full_file), "--force", folder=tmp_path, database=url)
    server.kill()
    refused = await command("restore", str(full_file), folder=tmp_path, database=url)
    unfinished = target.with_name(".own.db.partial")

    status = await _killed("restore", full_file, url, _grown(unfinished, 1_000_000), "--force")
    kept = stored(target, "SELECT id FROM sessions")
    told = await restored(full_file, url, "--force")

    aside = [path for path in os.listdir(target.parent) if ".before-" in path]
    assert (beside.status, refused.status, status, kept) == (1, 1, -9, ["own"])
    assert "Another Branchline server is using" in beside.errors
    assert "The database is not empty" in refused.errors
    assert stored(target, "SELECT id FROM sessions") == ["big"]
    assert len(aside) == 1
    assert aside[0] in told.errors
    assert stored(target.parent / aside[0], "SELECT id FROM sessions") == ["own"]
