"""Bringing a database to the newest schema; the history lies in the folder `migrations`."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Select, column, inspect, select, table

from hosting.adapters.sql.table_copy import VERSION_TABLE
from hosting.domain.errors import StorageRefused

_NEWEST: Final = "head"
_SCHEMA: Final[Select[Any]] = select(column("version_num")).select_from(table(VERSION_TABLE))


def migrations_folder() -> Path:
    """Return where the history lies: inside an installed package, or at the top of a clone."""
    here = Path(__file__).resolve()
    packaged = here.parent / "migrations"
    return packaged if packaged.is_dir() else here.parents[4] / "migrations"


def is_current(connection: Connection) -> bool:
    """Say whether a database has the newest schema that this version knows."""
    return schema_of(connection) == newest_schema(migrations_folder())


def newest_schema(folder: Path) -> str:
    """Return the last schema of a history; its files are numbered, each with the schema that it leads to."""
    return max(file.stem for file in folder.glob("versions/*.py")).partition("_")[0]


def schema_of(connection: Connection) -> str | None:
    """Return which schema a database has; None when it has none of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    schema: str | None = connection.scalar(_SCHEMA)
    return schema


def migrate(connection: Connection, folder: Path | None = None, *, upto: str = _NEWEST) -> None:
    """Apply what the database lacks of the history in a folder (ours), within the connection's transaction.

    Raises:
        StorageRefused: a newer version has been here, and this one cannot know what it changed.
    """
    history = folder or migrations_folder()
    if upto == _NEWEST and schema_of(connection) == newest_schema(history):
        return
    from alembic import command  # noqa: PLC0415 - half a second of import, needed once
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script.revision import ResolutionError  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(history).replace("%", "%%"))
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
