"""Opening a database, of either kind, as the doors that it stands behind."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.engine import URL

from hosting.adapters.sql.address import is_sqlite, read_url, sqlite_path
from hosting.adapters.sql.answering import Answering
from hosting.adapters.sql.api_keys import SqlApiKeys
from hosting.adapters.sql.contents_store import SqlContents
from hosting.adapters.sql.credential_audit import SqlCredentialAudit
from hosting.adapters.sql.credential_changes import SqlCredentialChanges
from hosting.adapters.sql.credentials import SqlCredentials
from hosting.adapters.sql.definitions import SqlDefinitions
from hosting.adapters.sql.event_store import SqlEventStore
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.file_reservations import SqlFileReservations
from hosting.adapters.sql.inbox import SqlInbox
from hosting.adapters.sql.keyed_requests import SqlKeyedRequests
from hosting.adapters.sql.lanes import SqlLanes
from hosting.adapters.sql.leases import SqlLeases
from hosting.adapters.sql.log_reader import SqlLogReader
from hosting.adapters.sql.reading import PooledReading, Reading, ReadingThreads, rows
from hosting.adapters.sql.reads import SqlTenantReads
from hosting.adapters.sql.routing import SqlRouting
from hosting.adapters.sql.run_reads import SqlRunReads
from hosting.adapters.sql.sealed_configs import SqlSealedConfigs
from hosting.adapters.sql.sqlite_file import (
    OnConnect,
    key_file_of,
    lock_file,
    migrate_sqlite,
    sqlite_readers,
    sqlite_writer,
)
from hosting.adapters.sql.transactor import PooledTransactor, ThreadTransactor, Transactor
from hosting.adapters.sql.trimming import SqlRetention
from hosting.adapters.sql.upkeep import SqlUpkeep
from hosting.adapters.sql.watching import SqlWatch
from hosting.adapters.sql.work_queue import SqlWorkQueue
from hosting.adapters.sql.worker_mutations import SqlMutations
from hosting.adapters.sql.workers import SqlWorkers
from hosting.domain.errors import StorageRefused
from hosting.domain.scope import TenantId
from hosting.ports.credentials import Cipher
from hosting.ports.hints import HintChannel

_PATIENCE_OF_A_LEASE: Final = 0.8
_READERS: Final = 4


@dataclass(frozen=True, slots=True)
class Database:
    """An open database as the doors that it stands behind.

    `exclusive` says that no other server can be on it; `writers` is how many commits it takes at once.
    `hints` is how its servers tell each other of news, if there can be several.
    `key_file` is where keys that protect what is stored lie, if that is beside it.
    """

    events: SqlEventStore
    log: SqlLogReader
    leases: SqlLeases
    runs: SqlRunReads
    watch: SqlWatch
    keys: SqlApiKeys
    work: SqlWorkQueue
    workers: SqlWorkers
    lanes: SqlLanes
    files: SqlFileReservations
    mutations: SqlMutations
    inbox: SqlInbox
    contents: SqlContents
    credentials: SqlCredentials
    credential_changes: SqlCredentialChanges
    credential_audit: SqlCredentialAudit
    routing: SqlRouting
    sealed_configs: SqlSealedConfigs
    keyed: SqlKeyedRequests
    upkeep: SqlUpkeep
    retention: SqlRetention
    exclusive: bool
    writers: int
    hints: HintChannel | None
    key_file: Path | None
    _reading: Reading
    _transactor: Transactor

    def tenant(self, tenant: TenantId) -> SqlTenantReads:
        """Return the door to one tenant's rows."""
        return SqlTenantReads(self._reading, tenant)

    def definitions(self, tenant: TenantId, cipher: Cipher) -> SqlDefinitions:
        """Return the door to the definitions that one tenant has stored, with their secrets sealed."""
        return SqlDefinitions(self._transactor, self._reading, tenant, cipher)

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        await rows(self._reading, select(literal(1)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one database has otherwise than another."""

    lease_seconds: float
    exclusive: bool
    writers: int
    hints: HintChannel | None = None
    key_file: Path | None = None


async def open_database(
    url: str, stack: AsyncExitStack, *, lease_seconds: float, on_connect: OnConnect | None = None
) -> Database:
    """Open, lock and migrate a database; the stack closes it.

    Raises:
        StorageRefused: the address is of no kind we know, another server has the SQLite file, or a newer one had it.
        StorageUnavailable: it cannot be reached.
    """
    parsed = read_url(url)
    if is_sqlite(parsed):
        return await _open_sqlite(parsed, stack, lease_seconds, on_connect)
    return await _open_postgres(parsed, stack, lease_seconds)


async def _open_sqlite(url: URL, stack: AsyncExitStack, lease_seconds: float, on_connect: OnConnect | None) -> Database:
    path = sqlite_path(url)
    stack.callback(lock_file(path).close)
    writer = sqlite_writer(url, on_connect)
    with storage_faults():
        await asyncio.to_thread(migrate_sqlite, writer)
    reading = ReadingThreads(sqlite_readers(url, threads=_READERS), _READERS)
    stack.push_async_callback(reading.close)
    transactor = ThreadTransactor(writer)
    stack.push_async_callback(transactor.close)
    return _database(transactor, reading, _Kind(lease_seconds, exclusive=True, writers=1, key_file=key_file_of(path)))


async def _open_postgres(url: URL, stack: AsyncExitStack, lease_seconds: float) -> Database:
    # A server on SQLite starts sooner without these.
    from hosting.adapters.sql.postgres_hints import PostgresHints  # noqa: PLC0415
    from hosting.adapters.sql.postgres_server import dispose, migrate_postgres, postgres_engine  # noqa: PLC0415

    engine = postgres_engine(url, lease_seconds=lease_seconds)
    stack.push_async_callback(dispose, engine, lease_seconds)
    try:
        with storage_faults():
            await migrate_postgres(url)
    except TypeError as error:
        if not url.query or "unexpected keyword argument" not in str(error):
            raise
        options = ", ".join(url.query)
        raise StorageRefused(
            f"The database URL has an option that asyncpg does not know, among {options}; TLS, for one, is ssl=require."
        ) from error
    answering = Answering()
    kind = _Kind(lease_seconds, exclusive=False, writers=2, hints=PostgresHints(url))
    return _database(PooledTransactor(engine, answering), PooledReading(engine, answering), kind)


def _database(transactor: Transactor, reading: Reading, kind: _Kind) -> Database:
    return Database(
        events=SqlEventStore(transactor, patience_seconds=kind.lease_seconds * _PATIENCE_OF_A_LEASE),
        log=SqlLogReader(reading),
        leases=SqlLeases(transactor),
        runs=SqlRunReads(reading),
        watch=SqlWatch(reading),
        keys=SqlApiKeys(transactor, reading),
        work=SqlWorkQueue(transactor, reading),
        workers=SqlWorkers(transactor, reading),
        lanes=SqlLanes(transactor, reading),
        files=SqlFileReservations(transactor, reading),
        mutations=SqlMutations(transactor, reading),
        inbox=SqlInbox(transactor, reading),
        contents=SqlContents(transactor, reading),
        credentials=SqlCredentials(transactor, reading),
        credential_changes=SqlCredentialChanges(transactor, reading),
        credential_audit=SqlCredentialAudit(transactor, reading),
        routing=SqlRouting(transactor, reading),
        sealed_configs=SqlSealedConfigs(transactor, reading),
        keyed=SqlKeyedRequests(transactor),
        retention=SqlRetention(transactor, reading),
        upkeep=SqlUpkeep(transactor, reading, Random()),  # noqa: S311 - nothing is kept secret by it
        exclusive=kind.exclusive,
        writers=kind.writers,
        hints=kind.hints,
        key_file=kind.key_file,
        _reading=reading,
        _transactor=transactor,
    )
