"""Whether a commit that nobody answered was made: its own row in the log tells, the head of the log would not."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection, select

from events.serializer import join
from hosting.adapters.sql.ranges import range_checksum
from hosting.adapters.sql.tables import branches, events
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.errors import StorageUnavailable
from hosting.ports.units import Committed, Outcome, Unit

_BETWEEN_TRIES_SECONDS = 0.2


async def was_stored(
    transactor: Transactor, units: Sequence[Unit], outcomes: Sequence[Outcome], *, within_seconds: float
) -> bool:
    """Look for the first events of a transaction; False when they are not there, or when there is no telling in time.

    A transaction without events is taken for lost: all that such a one does can be done again.
    """
    written = next(
        (
            (unit, done)
            for unit, done in zip(units, outcomes, strict=True)
            if isinstance(done, Committed) and done.lines
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
    stored = connection.scalar(
        select(events.c.checksum).where(events.c.branch_key == unit.branch_key, events.c.last_seq == last)
    )
    return stored == range_checksum(unit.branch_key, first, last, join(committed.lines))
