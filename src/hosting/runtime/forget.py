"""Forgetting, now and then, the answers that were given to keyed requests long ago."""

import asyncio
from typing import Final

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.ports.clock import Clock
from hosting.ports.store import KeyedRequests

_log = structlog.get_logger("branchline.keyed")

_AT_ONCE: Final = 500


async def watch_answers(answers: KeyedRequests, clock: Clock, *, every_seconds: float) -> None:
    """Do so until cancelled; every server does it for all tenants."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            if forgotten := await _forget(answers, clock):
                _log.info("answers to keyed requests were forgotten", rows=forgotten)
        except StorageUnavailable as error:
            _log.warning("cannot look after the answers to keyed requests", why=error.why)


async def _forget(answers: KeyedRequests, clock: Clock) -> int:
    total = 0
    while True:
        # A few in each transaction: what is written by requests waits for one of these at most.
        forgotten = await answers.forget(clock(), _AT_ONCE)
        total += forgotten
        if forgotten < _AT_ONCE:
            return total
