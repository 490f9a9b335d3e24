"""Waiting for something to become true, and no longer than it may take."""

import asyncio
from collections.abc import Awaitable, Callable

_LOOKS_EVERY_SECONDS = 0.05


async def seconds_until(so: Callable[[], Awaitable[bool]], *, within: float) -> float:
    """Look until it is so; return how long that took.

    Raises:
        AssertionError: it took longer than it may.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await so():
        assert loop.time() - began < within, f"not within {within} seconds"
        await asyncio.sleep(_LOOKS_EVERY_SECONDS)
    return loop.time() - began
