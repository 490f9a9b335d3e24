"""Another database, of either kind, to restore a backup into."""

from pathlib import Path

import pytest

from tests.harness.databases import DATABASES


@pytest.fixture(params=DATABASES)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is not there yet, or that is empty."""
    if request.param == "sqlite":
        (tmp_path / "other").mkdir()
        return f"sqlite+aiosqlite:///{tmp_path}/other/restored.db"
    url: str = request.getfixturevalue("postgres").create_database()
    return url
