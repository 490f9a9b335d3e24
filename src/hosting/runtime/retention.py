"""What is older than the operator wants to keep goes from the logs, beside the requests."""

import asyncio
from datetime import timedelta

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.ports.clock import Clock
from hosting.ports.retention import Retention, Trimming

_log = structlog.get_logger("branchline.retention")

_REST_SECONDS = 0.05
"""Between two pieces: those who write must have their turn."""


async def watch_retention(retention: Retention, clock: Clock, *, keep: timedelta, every_seconds: float) -> None:
    """Let the events of runs that ended longer ago go, now and then; runs until cancelled."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await _trim_all(retention, Trimming(ended_before=clock() - keep))
        except StorageUnavailable as error:
            _log.warning("cannot trim logs", why=error.why)


async def _trim_all(retention: Retention, wanted: Trimming) -> None:
    while True:
        if not await retention.trim(wanted):
            return
        await asyncio.sleep(_REST_SECONDS)
