"""Bringing a database to the newest schema; the history lies in the folder `migrations`."""

from pathlib import Path

from sqlalchemy import Connection

from hosting.domain.errors import StorageRefused


def migrations_folder() -> Path:
    """Return where the history lies: inside an installed package, or at the top of a clone."""
    here = Path(__file__).resolve()
    packaged = here.parent / "migrations"
    return packaged if packaged.is_dir() else here.parents[4] / "migrations"


def is_current(connection: Connection) -> bool:
    """Say whether a database has the newest schema that this version knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as below

    return schema_of(connection) == ScriptDirectory(str(migrations_folder())).get_current_head()


def schema_of(connection: Connection) -> str | None:
    """Return which schema a database has; None when it has none of ours."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - as below

    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, folder: Path | None = None, *, upto: str = "head") -> None:
    """Apply what the database lacks of the history in a folder (ours), within the connection's transaction.

    Raises:
        StorageRefused: a newer version has been here, and this one cannot know what it changed.
    """
    from alembic import command  # noqa: PLC0415 - half a second of import, needed once
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script.revision import ResolutionError  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(folder or migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, upto)
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        raise StorageRefused(
            "The database has a schema that this version of Branchline does not know: a newer one has used it. "
            "Install that version again, or restore a backup made before it."
        ) from error
