"""Bringing a database to the newest schema; the history lies in the folder `migrations`."""

from pathlib import Path

from sqlalchemy import Connection


def migrations_folder() -> Path:
    """Return where the history lies: inside an installed package, or at the top of a clone."""
    here = Path(__file__).resolve()
    packaged = here.parent / "migrations"
    return packaged if packaged.is_dir() else here.parents[4] / "migrations"


def migrate(connection: Connection) -> None:
    """Apply what the database lacks, within the connection's transaction."""
    from alembic import command  # noqa: PLC0415 - half a second of import, needed once
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
