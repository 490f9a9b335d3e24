"""The tick that compares what followers have seen with what is stored: a lost last message is often the prompt."""

import asyncio

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.ports.store import TailReader
from hosting.runtime.rings import Rings

_log = structlog.get_logger("branchline.tops")


async def watch_tops(rings: Rings, log: TailReader, *, every_seconds: float) -> None:
    """Ask the store now and then, in one query, how far the followed logs reach; runs until cancelled."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await compare_tops(rings, log)
        except StorageUnavailable as error:
            _log.warning("cannot compare heads", why=error.why)


async def compare_tops(rings: Rings, log: TailReader) -> None:
    """Compare once.

    Raises:
        StorageUnavailable: the store cannot be asked now.
    """
    followed = rings.followed()
    if not followed:
        return
    heads = await log.heads(followed)
    for branch in followed:
        head = heads.get(branch)
        if head is None:
            rings.gone(branch)
        else:
            rings.advance(branch, head)
