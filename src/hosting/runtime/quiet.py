"""Making branches quiet: what runs there is interrupted, and what waits there never runs."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Final

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
    # All at once: each may take as long as its agent needs to come to its end.
    await asyncio.gather(*(_quiet(runtime, branch) for branch in branches))


async def _quiet(runtime: Runtime, branch: Branch) -> None:
    pause = 0.01
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await _is_busy(runtime, branch):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    except TimeoutError as error:
        raise RunActive(branch.scope.branch_id) from error


async def _is_busy(runtime: Runtime, branch: Branch) -> bool:
    reads = runtime.tenant(branch.scope.tenant)
    for queued in await reads.queue(branch.key):
        with suppress(RunNotQueued):
            await remove_queued(runtime, branch, queued.run)
    if await reads.active_run(branch.key) is None:
        return False
    with suppress(RunNotActive):
        await interrupt_run(runtime, branch, InterruptionRequest(reason=_REASON))
    return True
