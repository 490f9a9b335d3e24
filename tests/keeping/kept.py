"""Databases that are backed up and restored by the command, and what is looked at in them."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.sending import Sent
from tests.harness.raw_store import RawStore
from tests.identity.command import branchline


async def command(name: str, *arguments: str, folder: Path, database: str) -> Sent:
    """Run `branchline NAME ...` on a database, while this process goes on."""
    return await asyncio.to_thread(
        branchline, name, *arguments, folder=folder, BRANCHLINE_DATABASE_URL=database, COLUMNS="400"
    )


async def backed_up(database: str, file: Path) -> Path:
    """Make a backup that must succeed."""
    made = await command("backup", str(file), folder=file.parent, database=database)
    assert made.status == 0, made.errors
    return file


async def restored(file: Path, database: str, *options: str) -> Sent:
    """Restore a backup, which must succeed."""
    made = await command("restore", str(file), *options, folder=file.parent, database=database)
    assert made.status == 0, made.errors
    return made


async def faults(database: str, folder: Path) -> str:
    """Return what `branchline check` finds; nothing, when all is well."""
    checked = await command("check", folder=folder, database=database)
    assert checked.status in {0, 1}, checked.errors
    assert (checked.status == 0) == (checked.out == "")
    return checked.out


async def wiped(database: str) -> None:
    """Lose everything."""
    if database.startswith("sqlite"):
        file = Path(database.removeprefix("sqlite+aiosqlite:///"))
        for path in file.parent.glob(f"{file.name}*"):
            path.unlink()
        return
    store = RawStore(database)
    await store.run("DROP SCHEMA public CASCADE")
    await store.run("CREATE SCHEMA public")


def size(path: str | Path) -> int:
    """Return how large a file is; 0 when it is not there."""
    path = Path(path)
    return path.stat().st_size if path.exists() else 0


def stored(file: Path, sql: str) -> list[Any]:
    """Return the first column of what a SQLite file has."""
    with closing(sqlite3.connect(file)) as connection:
        return [first for first, *_ in connection.execute(sql)]


def without_life(log: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events without their epochs."""
    return [{**event, "eventId": event["eventId"].split(".")[1]} for event in log]


def lives(log: Sequence[dict[str, Any]]) -> set[str]:
    """Return the epochs of events."""
    return {event["eventId"].split(".")[0] for event in log}
