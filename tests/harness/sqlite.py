"""SQLite files with the tables in them: making those anew costs more than most of what a test does with them."""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

from tests.harness.tables import make_tables


def sqlite_database(folder: Path) -> str:
    """Make a file without a row in a folder and return its URL."""
    (folder / "test.db").write_bytes(_with_tables())
    return f"sqlite+aiosqlite:///{folder}/test.db"


@cache
def _with_tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make_tables(f"sqlite+aiosqlite:///{folder}/made.db"))
        return Path(folder, "made.db").read_bytes()
