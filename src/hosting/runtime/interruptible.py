"""Work that ends when somebody interrupts it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from hosting.domain.interrupt import Interrupt
from hosting.runtime.wakes import Inbox


async def until_interrupted(
    work: Callable[[], Awaitable[None]],
    inbox: Inbox,
    flow: str | None,
    interrupted: Callable[[Interrupt], None],
) -> Interrupt | None:
    """Do the work, and return None; or the interrupt that came first, once the work has been stopped.

    `interrupted` is called as soon as it comes, before the work hears of it. What the work raises is raised,
    unless it was interrupted. Work that was interrupted before is not begun.
    """
    wish = inbox.listen(flow)
    if wish.done():
        inbox.leave(flow)
        interrupted(wish.result())
        return wish.result()
    task = asyncio.ensure_future(work())
    first: set[asyncio.Future[Any]] = {wish, task}
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return None
        interrupted(wish.result())
        return wish.result()
    finally:
        inbox.leave(flow)
        await _stop(task)


async def _stop(task: asyncio.Future[None]) -> None:
    if task.done():
        return
    task.cancel()
    # It ends soon: whoever ignores this is left behind by what waits for it inside.
    await asyncio.wait({task})
    with suppress(asyncio.CancelledError, Exception):
        task.result()
