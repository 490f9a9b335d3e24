"""Another database, of either kind, to restore a backup into."""

from pathlib import Path

import pytest

from tests.harness.databases import DATABASES


@pytest.fixture(params=DATABASES)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is not there yet, or that is empty."""
    return _other(request, tmp_path, str(request.param))


@pytest.fixture
def opposite_url(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> str:
    """The same, of the other kind than `database_url`."""
    return _other(request, tmp_path, "postgresql" if database_url.startswith("sqlite") else "sqlite")


def _other(request: pytest.FixtureRequest, folder: Path, kind: str) -> str:
    if kind == "sqlite":
        (folder / "other").mkdir()
        return f"sqlite+aiosqlite:///{folder}/other/restored.db"
    url: str = request.getfixturevalue("postgres").create_database()
    return url
