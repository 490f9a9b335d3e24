"""Work that blocks, away from the event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_own_thread(work: Callable[[], T], *, name: str) -> T:
    """Do the work in a thread of its own and return its result.

    When this is cancelled nobody waits for the work any more, but it goes on: a thread cannot be stopped.
    """
    # Not in the loop's pool: a few tools that hang would keep the server's own work out of it, and its end from coming.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: Callable[[], None]) -> None:
        # Nobody listens when the call was cancelled, or the server has ended.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if done.done() else outcome())

    def run() -> None:
        try:
            result = context.run(work)
        except StopIteration as error:
            # A future refuses to hold one: it would end whoever awaits it as if by a return.
            failed = RuntimeError(f"The work raised {error!r}.")
            settle(lambda: done.set_exception(failed))
        except BaseException as error:  # noqa: BLE001 - it is raised where the work is awaited
            raised = error
            settle(lambda: done.set_exception(raised))
        else:
            settle(lambda: done.set_result(result))

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
