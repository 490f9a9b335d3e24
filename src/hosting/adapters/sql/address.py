"""The address of a database: which kind it is, and where it is."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from hosting.domain.errors import StorageRefused

_SQLITE = "sqlite+aiosqlite"
_POSTGRESQL = "postgresql+asyncpg"


def read_url(url: str) -> URL:
    """Take an address apart.

    Raises:
        StorageRefused: it is no address, or of a kind that we do not know.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StorageRefused(
            "The database URL cannot be read; write it like sqlite+aiosqlite:///./branchline.db."
        ) from error
    if parsed.drivername not in {_SQLITE, _POSTGRESQL}:
        raise StorageRefused(
            f"Databases of kind {parsed.drivername!r} are not supported; use {_SQLITE} or {_POSTGRESQL}."
        )
    return parsed


def shown(url: str) -> str:
    """Return where a database is, without who opens it, with what and how: that may be shown.

    Raises:
        StorageRefused: it is no address, or of a kind that we do not know.
    """
    parsed = read_url(url)
    if is_sqlite(parsed):
        return f"{parsed.drivername}:///{parsed.database or ''}"
    # A socket's folder is an option.
    host = parsed.host or ",".join(parsed.normalized_query.get("host", ()))
    return f"{host}{f':{parsed.port}' if parsed.port else ''}/{parsed.database or ''}"


def is_sqlite(url: URL) -> bool:
    """Say of which of the two kinds an address is."""
    return url.drivername == _SQLITE


def sqlite_path(url: URL) -> Path:
    """Return the file of a SQLite database, which need not be there.

    Raises:
        StorageRefused: there is no place for it.
    """
    if not url.database or url.database == ":memory:":
        raise StorageRefused("SQLite needs a file, since several connections share it; name one in the database URL.")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise StorageRefused(f"The folder {path.parent} of the SQLite file does not exist.")
    return path
