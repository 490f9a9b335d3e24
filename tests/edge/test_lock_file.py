"""The lock beside a SQLite file: one owner at a time, and nothing left when it goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosting import create_app
from hosting.adapters.sql.sqlite_file import lock_file
from hosting.bootstrap import server_of
from hosting.domain.errors import StorageRefused, StorageUnavailable
from hosting.settings import Settings
from tests.edge.in_process import in_process

# Python tells an audit hook of each lock before it takes it: there the last owner removes the file, once.
# The hook cannot be taken out again, so all this has a process of its own.
GOING_OWNER = """
import sys
from pathlib import Path
from hosting.adapters.sql.sqlite_file import lock_file
from hosting.domain.errors import StorageRefused

beside, removed = Path("a.db.lock"), []

def remove_once(event, arguments):
    if event == "fcntl.flock" and not removed:
        beside.unlink()
        removed.append(beside)

sys.addaudithook(remove_once)
first = lock_file(Path("a.db"))
assert removed and beside.exists()
try:
    lock_file(Path("a.db"))
except StorageRefused:
    print("removed, and locked again")
"""


async def test_a_start_that_is_refused_leaves_no_lock_file(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_text("This is no database, and long enough to have a header that is wrong. " * 100)
    app = create_app(settings=Settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/junk.db"))

    with pytest.raises(BaseExceptionGroup) as raised:
        async with in_process(app):
            pass

    assert raised.group_contains((StorageRefused, StorageUnavailable))
    assert os.listdir(tmp_path) == ["junk.db"]


async def test_a_lock_file_that_cannot_be_made_is_told_as_it_is() -> None:
    app = create_app(settings=Settings(database_url="sqlite+aiosqlite:////proc/version"))

    with pytest.raises(BaseExceptionGroup) as raised:
        async with in_process(app):
            pass

    assert raised.group_contains(StorageRefused)
    assert server_of(app).refused == "The lock file /proc/version.lock cannot be opened: No such file or directory."


def test_a_lock_file_that_a_killed_server_left_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.db.lock").touch()

    lock = lock_file(tmp_path / "a.db")

    with pytest.raises(StorageRefused, match="Another Branchline server"):
        lock_file(tmp_path / "a.db")
    lock.close()
    lock_file(tmp_path / "a.db").close()
    assert os.listdir(tmp_path) == []


def test_a_lock_file_that_is_no_longer_ours_is_left_alone(tmp_path: Path) -> None:
    beside = tmp_path / "a.db.lock"
    first = lock_file(tmp_path / "a.db")
    beside.unlink()
    second = lock_file(tmp_path / "a.db")

    first.close()

    assert beside.exists()
    with pytest.raises(StorageRefused):
        lock_file(tmp_path / "a.db")
    second.close()


def test_a_lock_file_that_goes_between_opening_and_locking_is_made_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GOING_OWNER], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )

    assert done.stderr == ""
    assert done.stdout == "removed, and locked again\n"
