"""Row B16 of the scoreboard: providers fail at random places, and the server is killed in between."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider, Script
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Broken, Drop, Hold, Raw, Status, Step, Text
from tests.models.provider_runs import Log, check_texts, run_to_end

FAULTY = Path(__file__).parent / "faulty.py"
RUNS = 24
MOST_RETRIES = 3
# A fault is as likely as none: most runs then end well after some tries, and some fail.
SOUND = 8


class MoodyProvider(FakeProvider):
    """Answers some words and then, at random, fails in one of its ways; every answer has words of its own."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.is_sound = False
        self.otherwise = self._answer
        self._rng = rng

    def _answer(self, request: Request) -> Script:
        words: list[Step] = [Text(f"{len(self.requests)}.{word} ") for word in range(self._rng.randrange(12))]
        if self.is_sound:
            return [*words, Text(f"{len(self.requests)}.end")]
        faults: list[Script] = [
            [*words, Hold()],
            [*words, Drop()],
            [*words, Drop(politely=True)],
            [*words, Raw(b'data: {"choices": [{"delta"\n\n')],
            [*words, Broken()],
            [Status(429, {"retry-after": "1"})],
            [Status(500)],
            [Hold()],
        ]
        return self._rng.choice([*faults, *[[*words, Text(f"{len(self.requests)}.end")]] * SOUND])


@pytest.fixture
async def moody() -> AsyncIterator[MoodyProvider]:
    """The provider of all models; SEED makes it the same again."""
    async with MoodyProvider(random.Random(int(os.environ.get("SEED", "1")))) as provider:
        yield provider


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b16_providers_that_fail_at_random_while_the_server_is_killed(
    make_server: Callable[..., ServerProcess], database_url: str, moody: MoodyProvider, tmp_path: Path
) -> None:
    rng = random.Random(int(os.environ.get("SEED", "1")))
    names = [f"model-{number}" for number in range(RUNS)]
    (tmp_path / "models.json").write_text(json.dumps(dict.fromkeys(names, (moody.url, "openai"))))
    patience = {"model_first_seconds": 1, "model_idle_seconds": 1, "model_call_seconds": 10, "lease_seconds": 4}
    server = make_server(database_url, str(FAULTY), **patience).start()
    outcomes: list[str] = []
    for _ in range(int(os.environ.get("ROUNDS", "5"))):
        begun = await asyncio.gather(*(_begin(server, name) for name in names))
        await asyncio.sleep(rng.uniform(0.2, 4))
        server.kill()
        server.start()
        for name, (session, run_id) in zip(names, begun, strict=True):
            outcomes.append(await _outcome(server, name, session, run_id))
        moody.is_sound = True
        await asyncio.gather(
            *(_goes_on(server, name, session) for name, (session, _) in zip(names, begun, strict=True))
        )
        moody.is_sound = False

    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})


async def _begin(server: ServerProcess, name: str) -> tuple[str, str]:
    async with Client(server.url, name) as client:
        session = await client.session()
        return session, str((await client.accepted(session, "Hello"))["runtimeRunId"])


async def _outcome(server: ServerProcess, name: str, session: str, run_id: str) -> str:
    """Return what a run came to, once it has ended and its log has been looked at."""
    async with Client(server.url, name) as client:
        run = await client.ended(session, run_id, seconds=90)
        log = await client.log(session)
    check_log(log)
    check_texts(log)
    _check_retries(log)
    return str(log[-1].get("errorType") or run["status"])


async def _goes_on(server: ServerProcess, name: str, session: str) -> None:
    async with Client(server.url, name) as client:
        run = await run_to_end(client, session, "Again")
        log = await client.log(session)
    check_log(log)
    assert run["status"] == "completed", [event["errorMessage"] for event in log if "errorMessage" in event]


def _check_retries(log: Log) -> None:
    """Make sure that no call was tried more often than allowed; a crash of the server begins the count anew."""
    told: list[dict[str, Any]] = [event for event in log if event["type"] == "MODEL_CALL_RETRY"]
    by_itself = [event["attempt"] for event in told if event["exceptionType"] != "RunInterrupted"]
    assert all(1 <= attempt <= MOST_RETRIES for attempt in by_itself)
    assert len(by_itself) <= 2 * MOST_RETRIES
