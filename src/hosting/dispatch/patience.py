"""Waiting no longer than one may, for something that may not even hear that it is not waited for any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Patience:
    """Waits for work, each in a task of its own, and leaves behind what has not ended in time."""

    def __init__(self) -> None:
        # The loop itself knows a task only weakly.
        self._left: set[asyncio.Task[None]] = set()

    async def within(self, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        """Do this work, and wait for it no longer than so; then it is cancelled and left behind.

        What it does about that, such as to close a connection on which nobody answers, takes as long as it takes;
        `asyncio.timeout` would wait for the end of that as well.

        Raises:
            TimeoutError: it has not ended in time.
            Exception: what the work has raised.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self._leave(task)
        if not task.done():
            raise TimeoutError
        task.result()

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._left.add(task)
        task.add_done_callback(self._forget)
        task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            # Looked at, or the loop would complain that nobody has.
            task.exception()
