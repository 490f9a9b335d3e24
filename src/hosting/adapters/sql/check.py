"""Reading a whole database for what is wrong with it, beside the servers that are on it, and changing nothing."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hosting.adapters.sql.address import is_sqlite, read_url, sqlite_path
from hosting.adapters.sql.checking import Looked, check_logs
from hosting.adapters.sql.checking_contents import check_contents
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.finding import Finding, FindingKind, Findings
from hosting.adapters.sql.migrate import is_current
from hosting.adapters.sql.orphans import check_rows
from hosting.domain.errors import StorageRefused

_MOST_OF_A_KIND: Final = 100
_BUSY_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 10.0
_WHOLE: Final = "ok"


@dataclass(slots=True)
class Report:
    """What was looked at and what is wrong: the first hundred findings of each kind, and how many there are."""

    looked: Looked = field(default_factory=Looked)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[FindingKind] = field(default_factory=Counter)

    def add(self, found: Findings) -> None:
        """Take what is found."""
        for finding in found:
            self.counts[finding.kind] += 1
            if self.counts[finding.kind] <= _MOST_OF_A_KIND:
                self.findings.append(finding)


def check_database(url: str) -> Report:
    """Read all of a database.

    Raises:
        StorageRefused: the address is wrong, there is no database of ours, or it has the tables of another version.
        StorageUnavailable: it cannot be read now.
    """
    parsed, report = read_url(url), Report()
    with storage_faults():
        if is_sqlite(parsed):
            _check_sqlite(sqlite_path(parsed), report)
        else:
            asyncio.run(_check_postgres(parsed, report))
    return report


def _check_sqlite(path: Path, report: Report) -> None:
    if not path.is_file():
        raise StorageRefused(f"There is no file {path}.")
    # To open a file that is not there for writing would make it.
    address = f"{path.resolve().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS),
        poolclass=NullPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # The driver begins nothing by itself: what belongs together is read as it was at one moment.
        connection.exec_driver_sql("BEGIN")

    with engine.connect() as connection:
        _check_version(connection, str(path))
        report.add(_check_file(connection))
        try:
            _check_all(connection, report)
        except DatabaseError as error:
            # Where the file itself is damaged, what cannot be read there is a finding like what does not fit.
            report.add(iter([Finding(FindingKind.FILE, path.name, f"cannot be read on: {error.orig}")]))


def _check_file(connection: Connection) -> Findings:
    """Ask SQLite itself."""
    try:
        with (
            connection.begin(),
            closing(connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_OF_A_KIND})")) as told,
        ):
            lines = [str(row[0]) for row in told]
    except DatabaseError as error:
        lines = [str(error.orig)]
    for line in lines:
        if line != _WHOLE:
            yield Finding(FindingKind.FILE, "SQLite", " ".join(line.split())[:300])


async def _check_postgres(url: URL, report: Report) -> None:
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        # A transaction sees a log and its head as they were at one moment, whatever is written meanwhile.
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": {"application_name": "branchline check"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_check_version, f"{url.host}/{url.database}")
        await connection.run_sync(_check_all, report)


def _check_version(connection: Connection, place: str) -> None:
    try:
        with connection.begin():
            current = is_current(connection)
    except DatabaseError as error:
        if connection.dialect.name != "sqlite":
            raise
        raise StorageRefused(f"{place} cannot be read as a SQLite database: {error.orig}.") from error
    if not current:
        raise StorageRefused(
            f"{place} has no tables of this version of Branchline: start a server of this version on it once, "
            "or check it with the version that made it."
        )


def _check_all(connection: Connection, report: Report) -> None:
    report.add(check_logs(connection, report.looked))
    report.add(check_rows(connection))
    report.add(check_contents(connection))
