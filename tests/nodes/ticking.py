"""An agent that notes down when it works, in a file of its server's folder, as a file that `branchline serve` takes."""

import asyncio
import time
from pathlib import Path

from hosting import RunContext, agent

TICKS = "ticks"
ENOUGH = "enough"


def has_more() -> bool:
    """Note down that work is done; say whether there is more of it."""
    with Path(TICKS).open("a") as ticks:
        ticks.write(f"{time.monotonic()}\n")
    return not Path(ENOUGH).exists()


async def work() -> None:
    """Do some."""
    await asyncio.sleep(0.02)


@agent("ticking")
async def ticking(context: RunContext) -> None:
    """Work, without anything to store, until there is the file `enough`."""
    while has_more():
        await work()
