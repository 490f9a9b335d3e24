"""B17: what was recorded survives `kill -9`, and what is said again after it counts once."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from hosting.adapters.files.key_file import ensure_key_file
from tests.fleet.gate import Gate
from tests.harness.process import ServerProcess
from tests.routing.claimed import WORK, Claims

OBSERVATIONS = 120
AT_ONCE = 8


async def test_what_was_recorded_is_still_known_after_kill_nine(
    make_server: Callable[..., ServerProcess], database_url: str, port: int, tmp_path: Path
) -> None:
    ensure_key_file(tmp_path / "keys")
    server = make_server(database_url, key_file=tmp_path / "keys", port=port).start()
    gate = Gate(server, tmp_path / "keys")
    recorded: set[int] = set()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(gate.client())
        session = await Claims(gate, http, stack)()

        async def tell(number: int) -> None:
            answer = await session.observe("claude", 1.0, observationId=str(number), totalCostUsd=2.0)
            assert answer == {"recorded": True}
            recorded.add(number)
            if len(recorded) == OBSERVATIONS // 2:
                server.kill()

        numbers = iter(range(OBSERVATIONS))

        async def tell_some() -> None:
            try:
                for number in numbers:
                    await tell(number)
            except httpx.TransportError:
                return

        await asyncio.gather(*(tell_some() for _ in range(AT_ONCE)))
        before = set(recorded)
        server.start()
        survived = (await session.arms())["claude", WORK]
        for number in range(OBSERVATIONS):
            await tell(number) if number not in before else await session.observe(
                "claude", 0.0, observationId=str(number)
            )
        after = (await session.arms())["claude", WORK]

    # What was on its way may have been kept without a word.
    assert OBSERVATIONS // 2 <= len(before) <= survived["totalObservations"] < len(before) + AT_ONCE
    assert survived["alpha"] == survived["totalObservations"] + 1.0
    assert (after["alpha"], after["beta"], after["totalObservations"]) == (OBSERVATIONS + 1.0, 1.0, OBSERVATIONS)
    assert after["avgCostUsd"] == 2.0
