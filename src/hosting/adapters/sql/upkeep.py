"""What a database does to itself beside the requests."""

from random import Random
from typing import Final

from sqlalchemy import Connection

from hosting.adapters.sql.folding import SqlFolding
from hosting.adapters.sql.reading import Reading
from hosting.adapters.sql.transactor import Transactor

_KEPT_PAGES: Final = 256
"""What stays free in a file for what comes next, a megabyte."""
_PAGES_AT_ONCE: Final = 64
_INCREMENTAL: Final = 2
"""See https://www.sqlite.org/pragma.html#pragma_auto_vacuum."""


class SqlUpkeep:
    """See the door, Upkeep."""

    def __init__(self, transactor: Transactor, reading: Reading, chance: Random) -> None:
        self._transactor = transactor
        self._reading = reading
        self._folding = SqlFolding(transactor, reading, chance)

    async def fold(self) -> bool:
        """See Upkeep.fold."""
        return await self._folding.fold()

    async def give_back(self) -> bool:
        """See Upkeep.give_back; PostgreSQL does it by itself, and a file of an older version cannot."""
        if not await self._reading.run(_has_spare):
            return False
        await self._transactor.run(_give_back)
        return True


def _has_spare(connection: Connection) -> bool:
    return (
        connection.dialect.name == "sqlite"
        and _asked(connection, "auto_vacuum") == _INCREMENTAL
        and _spare(connection) > 0
    )


def _give_back(connection: Connection) -> None:
    cursor = connection.connection.cursor()
    # A page a call: the driver steps such a statement once, and each step gives one back. None may be asked for
    # when there is none to spare: less than one stands for all.
    for _ in range(min(_PAGES_AT_ONCE, _spare(connection))):
        cursor.execute("PRAGMA incremental_vacuum(1)")
    cursor.close()


def _spare(connection: Connection) -> int:
    return _asked(connection, "freelist_count") - _KEPT_PAGES


def _asked(connection: Connection, pragma: str) -> int:
    (answer,) = connection.exec_driver_sql(f"PRAGMA {pragma}").one()
    return int(answer)
