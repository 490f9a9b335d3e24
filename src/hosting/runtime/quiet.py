"""Making branches quiet: what runs there is interrupted, and what waits there never runs."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from events.ids import RunId
from events.interruption import InterruptionRequest
from hosting.domain.branch import Branch
from hosting.domain.errors import RunActive, RunNotActive, RunNotQueued
from hosting.runtime.core import Runtime
from hosting.runtime.interrupt import interrupt_run
from hosting.runtime.queue import remove_queued

_REASON: Final = "The branch is being deleted."
_PATIENCE_SECONDS: Final = 30.0
_LONGEST_PAUSE_SECONDS: Final = 0.2


async def quiet(runtime: Runtime, branches: Collection[Branch]) -> None:
    """Interrupt every run of the branches and wait until all have ended, wherever they are executed.

    Raises:
        RunActive: one has not ended in half a minute.
        StorageUnavailable: the store cannot be asked.
    """
    # First all of them, then one by one: each may take as long as its agent needs to come to its end.
    for branch in branches:
        await _stop(runtime, branch, None)
    until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    for branch in branches:
        try:
            async with asyncio.timeout_at(until):
                await _ended(runtime, branch)
        except TimeoutError as error:
            raise RunActive(branch.scope.branch_id) from error


async def _ended(runtime: Runtime, branch: Branch) -> None:
    pause, stopped = 0.01, None
    while (stopped := await _stop(runtime, branch, stopped)) is not None:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def _stop(runtime: Runtime, branch: Branch, stopped: RunId | None) -> RunId | None:
    """Interrupt the active run, unless that is the one that was `stopped` before, and return which one it is."""
    active = await runtime.tenant(branch.scope.tenant).active_run(branch.key)
    if active is None or active.id == stopped:
        return None if active is None else active.id
    for queued in await runtime.tenant(branch.scope.tenant).queue(branch.key):
        with suppress(RunNotQueued):
            await remove_queued(runtime, branch, queued.run)
    with suppress(RunNotActive):
        await interrupt_run(runtime, branch, InterruptionRequest(reason=_REASON))
    return active.id
