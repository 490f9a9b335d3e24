"""A SQLite file takes the place of another one, which is kept beside it."""

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from hosting.adapters.sql.whole_file import put_in_place
from hosting.domain.errors import StorageRefused

_BUSY_SECONDS: Final = 2.0
_BESIDE: Final = ("-wal", "-shm")


def has_rows(path: Path, tables: Collection[str]) -> bool:
    """Say whether there is anything in those tables of a file, as far as it has them.

    Raises:
        StorageRefused: that cannot be read.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as connection:
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")} & set(tables)
            # Nobody but us has named them.
            return any(connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchall() for name in there)  # noqa: S608
    except sqlite3.DatabaseError as error:
        raise StorageRefused(f"{path} cannot be read ({error}); --force puts it aside all the same.") from error


def swap(partial: Path, path: Path, aside: str) -> Path | None:
    """Put a whole file in the place of a database that no server has; return where what was there is now.

    At each moment there is one of the two under the name, whole.

    Raises:
        StorageRefused: another process has the old one open.
    """
    kept = _set_aside(path, aside) if path.exists() else None
    if kept is not None:
        _keep_owner(partial, kept)
    for ending in _BESIDE:
        # Left by a file that somebody has removed: SQLite would write what is there into the new one.
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
    put_in_place(partial, path, replace=True)
    return kept


def _set_aside(path: Path, aside: str) -> Path:
    kept = path.with_name(f"{path.name}.{aside}")
    _close_log(path)
    kept.hardlink_to(path)
    for ending in _BESIDE:
        # Only of a file that could not be read: what SQLite found there, it would take for the new file's.
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}{ending}").rename(f"{kept}{ending}")
    return kept


def _close_log(path: Path) -> None:
    """Bring everything into the file itself; one that is damaged stays as it is."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise StorageRefused(f"{path} is in use by another process: {error}.") from error
        except sqlite3.DatabaseError:
            return
    if mode != ("delete",):
        raise StorageRefused(f"{path} is in use by another process.")


def _keep_owner(partial: Path, kept: Path) -> None:
    # Whoever restores need not be who the server runs as.
    shutil.copymode(kept, partial)
    known = kept.stat()
    with suppress(PermissionError):
        os.chown(partial, known.st_uid, known.st_gid)
