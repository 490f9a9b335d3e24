"""Removing what is left of uploads that were cut, and of contents that were deleted."""

import asyncio
from typing import Final

import structlog

from events.ids import ContentId
from hosting.domain.errors import StorageUnavailable
from hosting.services.content.core import Contents
from hosting.services.content.receive import PART_CHUNKS

_log = structlog.get_logger("branchline.content")

_AT_ONCE: Final = 100


async def watch_contents(
    contents: Contents, silent_seconds: float, *, every_seconds: float, is_alone: bool = False
) -> None:
    """Do so until cancelled; uploads of which nothing came for `silent_seconds` count as cut.

    A server that `is_alone` on its store counts all as cut when it begins: it has not received any.
    """
    await _sweep(contents, 0.0 if is_alone else silent_seconds)
    while True:
        await asyncio.sleep(every_seconds)
        await _sweep(contents, silent_seconds)


async def _sweep(contents: Contents, silent_seconds: float) -> None:
    try:
        await sweep(contents, silent_seconds)
    except StorageUnavailable as error:
        _log.warning("cannot look after contents", why=error.why)


async def sweep(contents: Contents, silent_seconds: float) -> None:
    """Remove all that is left now."""
    if cut := await contents.store.abandon(silent_seconds):
        _log.info("uploads that were cut are forgotten", uploads=cut)
    while loose := await contents.store.loose(_AT_ONCE):
        for content_id in loose:
            # A megabyte at a time, as it came: whoever streams beside this must not notice.
            while await _drop(contents, content_id):
                pass


async def _drop(contents: Contents, content_id: ContentId) -> int:
    async with contents.writing:
        return await contents.store.drop(content_id, PART_CHUNKS)
