"""`branchline check` reads everything beside a server, and tells what is wrong and nothing else."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.domain.branch import Branch
from tests.cli.sending import Sent
from tests.content.upload import upload
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.identity.command import branchline
from tests.storage.logs import fold_all, run_with_deltas
from tests.store.units import execute, make_branch, opened


@dataclass
class Checked:
    """What the command said."""

    status: int
    report: dict[str, Any]
    errors: str

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(finding["kind"], finding["detail"]) for finding in self.report["findings"]]


async def check(url: str, *arguments: str) -> Sent:
    """Run the command, where there are no settings."""
    with TemporaryDirectory() as folder:
        return await asyncio.to_thread(
            branchline, "check", *arguments, folder=Path(folder), BRANCHLINE_DATABASE_URL=url
        )


async def checked(url: str) -> Checked:
    """Run the command for its JSON."""
    done = await check(url, "--json")
    return Checked(done.status, json.loads(done.out), done.errors)


@pytest.fixture
async def branch(database_url: str) -> Branch:
    """A branch with four rows of one event, one of them packed, and one of many, packed."""
    async with opened(database_url) as database:
        branch = await make_branch(database)
        await run_with_deltas(database, branch, ["text " * 5] * 20)
        await fold_all(database)
        await run_with_deltas(database, branch, ["more " * 5] * 4)
    return branch


async def test_what_is_whole_is_clean_and_a_server_goes_on_beside(server: ServerProcess, client: Client) -> None:
    session = await client.session()
    accepted = await client.accepted(session, "/tokens 200 5")

    beside = await checked(server.database_url)
    await client.ended(session, accepted["runtimeRunId"])
    after = await check(server.database_url)

    assert (beside.status, beside.kinds) == (0, [])
    assert (after.status, after.out) == (0, "")
    assert "1 branch with 212 events" in after.errors
    assert after.errors.rstrip().endswith("nothing is wrong.")


DAMAGE = {
    "a byte of a packed row": (
        "UPDATE events SET checksum = checksum + 1 WHERE packing = 'zlib'",
        [("damaged-events", "events 2 to 23 do not fit their checksum")],
    ),
    "a row is missing": (
        "DELETE FROM events WHERE first_seq = 25",
        [("gap", "events 25 to 25 are missing")],
    ),
    "the last row is missing": (
        "DELETE FROM events WHERE first_seq = 29",
        [("gap", "events 29 to 29 are missing")],
    ),
    "the head is too low": (
        "UPDATE branches SET next_seq = 28",
        [("beyond-head", "events 28 to 29 are behind the head")],
    ),
    "a row is there twice": (
        "INSERT INTO events (tenant, branch_key, first_seq, last_seq, frames, checksum) "
        "SELECT tenant, branch_key, first_seq - 1, last_seq + 10, frames, checksum FROM events WHERE first_seq = 29",
        [
            ("overlap", "events 28 to 29 are there twice"),
            ("damaged-events", "events 28 to 39 do not fit their checksum"),
            ("beyond-head", "events 30 to 39 are behind the head"),
        ],
    ),
    "another epoch": (
        "UPDATE branches SET epoch = '000000000000'",
        [
            ("misplaced-events", f"events {first} to {last} say that they are of another place or log")
            for first, last in ((1, 1), (2, 23), (24, 24), (25, 25), (26, 26), (27, 27), (28, 28), (29, 29))
        ],
    ),
    "a fork of nothing": (
        "UPDATE branches SET forked_from = 'gone'",
        [("fork-without-source", "its source gone is missing")],
    ),
    "a queue that is none": (
        "UPDATE branches SET queue_length = 2",
        [("queue-length", "its queue has 0 runs, and it says 2")],
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_told_where_it_is(branch: Branch, database_url: str, damage: str) -> None:
    statement, findings = DAMAGE[damage]
    await execute(database_url, statement)

    found = await checked(database_url)

    assert (found.status, found.kinds) == (1, findings)
    assert {finding["place"] for finding in found.report["findings"]} == {"local/s1/main"}


async def test_rows_on_their_own_are_told(branch: Branch, database_url: str) -> None:
    # PostgreSQL keeps whoever does not switch that off from making orphans.
    for statement in ("DELETE FROM branches", "DELETE FROM runs"):
        await without_foreign_keys(database_url, statement)

    found = await checked(database_url)
    lines = await check(database_url)

    assert found.status == lines.status == 1
    assert found.report["counts"] == {"events-without-branch": 1, "row-without-parent": 2}
    assert {detail for _, detail in found.kinds} == {"of tenant local", "its row in branches is missing"}
    assert f"events-without-branch  branch row {branch.key}: of tenant local" in lines.out.splitlines()


async def test_what_is_no_database_of_ours_is_refused_with_a_word(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is a letter, and not a database of any kind. " * 100)
    (tmp_path / "empty.db").touch()
    said = {}
    for name in ("text", "empty", "missing"):
        done = await check(f"sqlite+aiosqlite:///{tmp_path}/{name}.db")
        assert (done.status, done.out) == (2, "")
        said[name] = done.errors
    away = await check("postgresql+asyncpg://nobody@127.0.0.1:1/none")

    assert "file is not a database" in said["text"]
    assert "has no tables of this version" in said["empty"]
    assert "There is no file" in said["missing"]
    assert (away.status, "cannot be read now" in away.errors) == (2, True)
    assert not (tmp_path / "missing.db").exists()


async def without_foreign_keys(url: str, statement: str) -> None:
    """Do what the database would refuse or follow up."""
    if url.startswith("postgresql"):
        await execute_all(url, "SET LOCAL session_replication_role = replica", statement)
    else:
        await execute_all(url, statement)


async def execute_all(url: str, *statements: str) -> None:
    """Do several things in one transaction."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE content_chunks SET checksum = checksum + 1 WHERE number = 1", ["piece 1 does not fit its checksum"]),
        (
            "DELETE FROM content_chunks WHERE number IN (0, 1)",
            ["pieces 0 to 1 are missing", "it has 75712 bytes, and says 600000"],
        ),
        ("UPDATE contents SET size_bytes = 7", ["it has 600000 bytes, and says 7"]),
    ],
)
async def test_an_upload_of_which_something_is_wrong_is_told(
    server: ServerProcess, client: Client, damage: str, told: list[str]
) -> None:
    session = await client.session()
    whole = await upload(server.url, f"/sessions/{session}/content", 600_000)
    clean = await checked(server.database_url)
    await execute(server.database_url, damage)

    found = await checked(server.database_url)

    assert (clean.status, found.status) == (0, 1)
    assert found.kinds == [("damaged-upload", detail) for detail in told]
    assert found.report["findings"][0]["place"] == f"local/{session}/{whole.json['contentId']}"
