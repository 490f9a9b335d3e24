"""Looking after the store beside the requests, and never long enough at once to be noticed."""

import asyncio

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.ports.upkeep import Upkeep

_log = structlog.get_logger("branchline.upkeep")

_REST = 4.0
"""How much longer each pause is than the work before it: a fifth of the writer's time at most."""
_LEAST_REST_SECONDS = 0.02


async def watch_upkeep(upkeep: Upkeep, *, every_seconds: float) -> None:
    """Fold what has ended and give space back, piece by piece until there is no more, now and then; until cancelled."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await _look_after(upkeep)
        except StorageUnavailable as error:
            _log.warning("cannot look after the storage", why=error.why)


async def _look_after(upkeep: Upkeep) -> None:
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        if not (await upkeep.fold() or await upkeep.give_back()):
            return
        await asyncio.sleep(max(_LEAST_REST_SECONDS, _REST * (loop.time() - began)))
