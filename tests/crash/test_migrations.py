"""A migration that rebuilds a table keeps the rows of the tables that point at it."""

import shutil
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import make_url, text

from hosting.adapters.sql.database import open_database
from hosting.adapters.sql.migrate import migrations_folder
from hosting.adapters.sql.sqlite_file import migrate_sqlite, sqlite_writer
from tests.crash.units import new_session

_NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    with op.batch_alter_table("sessions", recreate="always") as table:
        table.add_column(sa.Column("added_next", sa.Text()))
"""


async def test_rebuilding_sessions_does_not_delete_their_branches(sqlite_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        database = await open_database(sqlite_url, stack, lease_seconds=3)
        await database.events.commit([new_session("kept")])
    history = shutil.copytree(migrations_folder(), tmp_path / "history")
    newest = max(path.name[:4] for path in (history / "versions").glob("*.py"))
    (history / "versions" / "9999_next.py").write_text(_NEXT.format(newest=newest))
    engine = sqlite_writer(make_url(sqlite_url))

    migrate_sqlite(engine, history)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM branches")) == 1
        assert connection.scalar(text("SELECT added_next IS NULL FROM sessions")) == 1
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    engine.dispose()
