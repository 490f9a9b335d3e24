"""B13: a question has one answer, whoever else answers, however late, and whatever dies in between."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.domain.identity import Role
from tests.harness.client import Client
from tests.harness.conversation import answer_to
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds, seed
from tests.identity.office import Office
from tests.interrupt.talk import Talk

Make = Callable[..., ServerProcess]

AT_ONCE = 10
DEADLINE = "PT0.2S"
TOLD_TOO_LATE = {"already-resolved", "timed-out"}


class Asked:
    """One question, all that is said to it, and what comes of that."""

    def __init__(self, session: str, chance: random.Random) -> None:
        self.session = session
        self._chance = chance
        self._accepted: list[bool] = []
        self._told = Counter[tuple[int, str | None]]()
        self.is_silent = chance.random() < 0.1

    async def ask(self, client: Client) -> None:
        """Let a run ask; one in ten waits for nobody."""
        await client.session(self.session)
        config = {"permissionTimeout": DEADLINE} if self.is_silent else {}
        body = {"text": "/permission", "runConfig": config}
        response = await client.http.post(f"{client.path(self.session)}/inputs", json=body)
        assert response.status_code == 202, response.text
        if not self.is_silent:
            await Talk(client, self.session).asked()

    async def race(self, client: Client, strangers: list[httpx.AsyncClient]) -> list[str]:
        """Answer from all sides at once, and again when it is over; return what is wrong then."""
        talk, faults = Talk(client, self.session), list[str]()
        log = await talk.logged(lambda event: event["type"] == "PERMISSION_REQUEST")
        request = next(event for event in log if event["type"] == "PERMISSION_REQUEST")
        if not self.is_silent:
            answers = [True, False]
            self._chance.shuffle(answers)
            statuses = await asyncio.gather(
                *(self._answer(client.http, client, request, approved=each) for each in answers),
                *(self._answer(stranger, client, request, approved=True) for stranger in strangers),
            )
            if sorted(statuses)[1:] != [403, 404, 409]:
                faults.append(f"answered with {statuses}")
        log = await talk.idle(seconds=60)
        for approved in (True, False):
            if (late := await self._answer(client.http, client, request, approved=approved)) != 409:
                faults.append(f"a late answer is answered with {late}")
        return faults + self._faults(log)

    async def _answer(self, http: httpx.AsyncClient, client: Client, request: dict[str, Any], *, approved: bool) -> int:
        path = f"{client.path(self.session)}/responses"
        response = await http.post(path, json=answer_to(request, approved=approved))
        if response.status_code == 200:
            self._accepted.append(approved)
        else:
            self._told[response.status_code, response.json().get("outcome")] += 1
        return response.status_code

    def _faults(self, log: list[dict[str, Any]]) -> list[str]:
        found = Counter(event["type"] for event in log)
        expected = {"PERMISSION_RESPONSE": 1, "AGENT_REQUEST_EXPIRED": 0, "TOOL_CALL_RESULT": 1}
        allowed = self._accepted == [True]
        if self.is_silent:
            expected |= {"PERMISSION_RESPONSE": 0, "AGENT_REQUEST_EXPIRED": 1}
        expected |= {"PERMISSION_APPROVED": int(allowed), "PERMISSION_DENIED": int(not allowed)}
        faults = [f"{kind} is there {found[kind]} times" for kind, times in expected.items() if found[kind] != times]
        results = json.dumps([event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"])
        if ("was deleted" in results) != allowed:
            faults.append(f"accepted {self._accepted}, and the tool said {results}")
        if len(self._accepted) != (0 if self.is_silent else 1):
            faults.append(f"accepted {self._accepted}")
        untold = {outcome for (status, outcome), _ in self._told.items() if status == 409} - TOLD_TOO_LATE
        return faults + [f"told {outcome}" for outcome in untold]


async def _races(server: ServerProcess, office: Office, trials: int, *, restart_every: int) -> None:
    tally, chance, restarts = Tally("b13"), random.Random(seed()), 0
    keys = [await office.key("elsewhere", Role.USER), await office.key("local", Role.WORKER)]
    for begin in range(0, trials, AT_ONCE):
        asked = [Asked(f"b13-{begin + at}", chance) for at in range(min(AT_ONCE, trials - begin))]
        async with Client(server.url) as client:
            await asyncio.gather(*(each.ask(client) for each in asked))
        if (begin // AT_ONCE) % restart_every == 0:
            restarts += 1
            server.kill()
            await asyncio.to_thread(server.start)
        strangers = [office.client(key) for key in keys]
        async with Client(server.url) as client, strangers[0], strangers[1]:
            for faults in await asyncio.gather(*(each.race(client, strangers) for each in asked)):
                tally.add(*faults)
    tally.close(f"{restarts} restarts between question and answer, seed {seed()}")


@pytest.fixture
def asked_server(make_server: Make, database_url: str, tmp_path: Path) -> ServerProcess:
    """A server that soon takes up what it finds, and that has keys."""
    ensure_key_file(tmp_path / "keys")
    return make_server(database_url, key_file=tmp_path / "keys", lease_seconds=1.5, sweep_seconds=0.1).start()


async def test_of_answers_from_all_sides_one_counts_also_after_kill_9(
    asked_server: ServerProcess, tmp_path: Path
) -> None:
    await _races(asked_server, Office(asked_server, tmp_path / "keys"), 12, restart_every=2)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b13_answers_race_from_all_sides(asked_server: ServerProcess, tmp_path: Path) -> None:
    await _races(asked_server, Office(asked_server, tmp_path / "keys"), rounds(500), restart_every=5)
