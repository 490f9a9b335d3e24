"""How long a server takes to say that it lives, seen from a process of its own: `python -m tests.following.lag URL`.

Asks until its input ends, then prints the times it took, in seconds.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

_PAUSE_SECONDS = 0.01


@asynccontextmanager
async def lags(base: str) -> AsyncIterator[list[float]]:
    """Sample while the block runs; the list is filled at its end, sorted."""
    found: list[float] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.following.lag",
        base,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield found
    finally:
        output, _ = await process.communicate(b"")
    found += sorted(json.loads(output))


def p99(times: list[float]) -> float:
    """Return what all but a hundredth of the sorted times stay below."""
    return times[int(len(times) * 0.99)]


async def _sample(base: str) -> list[float]:
    times: list[float] = []
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        while not ended.done():
            begun = time.perf_counter()
            await client.get("/healthz")
            times.append(time.perf_counter() - begun)
            await asyncio.sleep(_PAUSE_SECONDS)
    return times


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_sample(sys.argv[1]))))
