"""Whether a commit that nobody answered was made: its own row in the log tells, the head of the log would not."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from hosting.adapters.sql.keyed_requests import is_recorded
from hosting.adapters.sql.ranges import read_range
from hosting.adapters.sql.tables import branches, events
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.errors import LogCorrupt, StorageUnavailable
from hosting.ports.store import LogPage
from hosting.ports.units import Committed, Outcome, Unit

_BETWEEN_TRIES_SECONDS = 0.2
_HOLDER = (
    select(events)
    .where(events.c.branch_key == bindparam("branch"), events.c.last_seq >= bindparam("last"))
    .order_by(events.c.last_seq)
    .limit(1)
)


async def was_stored(
    transactor: Transactor, units: Sequence[Unit], outcomes: Sequence[Outcome], *, within_seconds: float
) -> bool:
    """Look for the first events of a transaction; False when they are not there, or when there is no telling in time.

    A transaction without events is known by the keyed request that it was made for. One without either is taken for
    lost: all that such a one does can be done again.
    """
    written = next(
        (
            (unit, done)
            for unit, done in zip(units, outcomes, strict=True)
            if isinstance(done, Committed) and (done.lines or unit.record is not None)
        ),
        None,
    )
    if written is None:
        return False
    unit, committed = written
    try:
        async with asyncio.timeout(within_seconds):
            return await _look_until_answered(transactor, unit, committed)
    except TimeoutError:
        return False


async def _look_until_answered(transactor: Transactor, unit: Unit, committed: Committed) -> bool:
    while True:
        try:
            return await transactor.run(lambda connection: _look(connection, unit, committed))
        except StorageUnavailable:
            await asyncio.sleep(_BETWEEN_TRIES_SECONDS)


def _look(connection: Connection, unit: Unit, committed: Committed) -> bool:
    first, last = committed.first.seq, committed.first.seq + len(committed.lines) - 1
    # The lock waits for the lost transaction, should it still be on its way.
    connection.execute(select(branches.c.key).where(branches.c.key == unit.branch_key).with_for_update())
    if unit.record is not None:
        return is_recorded(connection, unit.record.request)
    # Its own row, or the one that this has been folded into since.
    holder = connection.execute(_HOLDER, {"branch": unit.branch_key, "last": last}).one_or_none()
    if holder is None:
        return False
    try:
        return read_range(holder._mapping, first - 1, last) == LogPage(first, committed.lines)
    except LogCorrupt:
        return False
