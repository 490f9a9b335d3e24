"""Where transactions run: one thread of its own for SQLite, pooled connections for PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from hosting.adapters.sql.answering import Answering
from hosting.adapters.sql.faults import is_deadlock, storage_faults
from hosting.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    # Half of SQLAlchemy, which a server on SQLite starts sooner without.
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

_DEADLOCK_RETRIES = 4
Work = Callable[[Connection], T]


class CommitUnknown(StorageUnavailable):
    """The connection was lost while the database was asked to commit: it may have, or not.

    `result` is what the work returned, which holds if the commit did.
    """

    def __init__(self, result: object) -> None:
        self.result = result
        super().__init__("the connection was lost during a commit")


class Transactor(Protocol):
    """Runs pieces of synchronous SQL, each in a transaction of its own."""

    def run(self, work: Work[T]) -> Awaitable[T]:
        """Begin a transaction with this work in it; await for its result, after the commit.

        Raises:
            StorageUnavailable: nothing of it is stored.
            CommitUnknown: it may be stored, or not.
        """
        ...


_Job = tuple[Work[Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class ThreadTransactor:
    """Runs all work on one thread with one connection, in order: SQLite has one writer at a time anyway.

    A thread hop per transaction costs half of what a hop per statement does, as an async driver has it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="sqlite writer", daemon=True)
        self._thread.start()

    def run(self, work: Work[T]) -> Awaitable[T]:
        """Queue the work at once; see Transactor.run."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((work, future, loop))
        return future

    async def close(self) -> None:
        """Finish what is queued, then end the thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, future, loop = job
            try:
                result = self._transact(work)
            except BaseException as error:  # noqa: BLE001 - handed to whoever awaits, on the loop's thread
                loop.call_soon_threadsafe(_settle, future, None, error)
            else:
                loop.call_soon_threadsafe(_settle, future, result, None)
        self._engine.dispose()

    def _transact(self, work: Work[T]) -> T:
        with storage_faults(), self._engine.begin() as connection:
            return work(connection)


class PooledTransactor:
    """Runs each piece of work on a connection of the pool, within the event loop."""

    def __init__(self, engine: "AsyncEngine", answering: Answering | None = None) -> None:
        self._engine = engine
        self._answering = answering or Answering()

    def run(self, work: Work[T]) -> Awaitable[T]:
        """See Transactor.run."""
        return asyncio.ensure_future(self._transact(work))

    async def _transact(self, work: Work[T]) -> T:
        with storage_faults():
            for _ in range(_DEADLOCK_RETRIES):
                try:
                    return await self._once(work)
                except DBAPIError as error:
                    # The database rolled it back to let another transaction pass; done again, it finds its way free.
                    if not is_deadlock(error):
                        raise
            return await self._once(work)

    async def _once(self, work: Work[T]) -> T:
        async with self._answering.connection(self._engine) as connection:
            transaction = await connection.begin()
            try:
                result = await connection.run_sync(work)
            except TimeoutError:
                # Nothing more is said on this connection: an answer would not come either.
                raise
            except BaseException:
                await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except (DBAPIError, OSError) as error:
                raise CommitUnknown(result) from error
            return result


def _settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
