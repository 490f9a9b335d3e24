"""An empty SQLite file on the disk that is measured."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def empty_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder inside `folder`, and remove it with everything in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="database-") as made:
        yield Path(made)


def sqlite_url(folder: Path) -> str:
    """Return the URL of a database in a folder."""
    return f"sqlite+aiosqlite:///{folder}/subject.db"
