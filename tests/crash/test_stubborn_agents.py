"""Whatever an agent does, its run ends, its branch is free, and the server goes on or stops when it is told to."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.stubborn import SOURCE
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The stubborn agents, to be served."""
    (tmp_path / "stubborn.py").write_text(SOURCE)
    return "stubborn.py"


async def test_a_deaf_agent_that_takes_too_long_is_left_behind_and_its_run_ends(
    make_server: Make, database_url: str, file: str
) -> None:
    server = make_server(database_url, file).start()
    async with Client(server.url, "deaf") as client:
        session = await client.session()
        body = {"text": "go", "runConfig": {"runTimeout": "PT1.5S"}}
        response = await client.http.post(f"{client.path(session)}/inputs", json=body)

        async with client.feed(session, after=response.json()["position"]) as feed:
            frames = await feed.until(completed, seconds=20)

        again = await client.send(session, "next")
    types = [frame.json["type"] for frame in frames]
    assert types[-3:] == ["TEXT_MESSAGE_END", "MESSAGE_TURN_ERROR", "BRANCH_RUN_COMPLETED"]
    assert frames[-3].json["interrupted"] is True
    assert (frames[-1].json["status"], frames[-1].json["errorType"]) == ("failed", "RunTimedOut")
    assert again.status_code == 202


async def test_a_deaf_agent_does_not_keep_the_server_from_stopping(
    make_server: Make, sqlite_url: str, file: str
) -> None:
    server = make_server(sqlite_url, file, grace_seconds=0.5).start()
    async with Client(server.url, "deaf") as client:
        session = await client.session()
        accepted = await client.accepted(session, "go")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event["type"] == "TEXT_DELTA")

    status = server.terminate()

    assert status == 0
    server.start()
    async with Client(server.url, "deaf") as client:
        assert (await client.run(session, accepted["runtimeRunId"]))["status"] == "active"


@pytest.mark.parametrize(("agent", "error"), [("quitter", "AgentCancelled"), ("late", "RuntimeError")])
async def test_an_agent_that_cancels_itself_or_speaks_too_late_has_failed(
    make_server: Make, sqlite_url: str, file: str, agent: str, error: str
) -> None:
    server = make_server(sqlite_url, file).start()
    async with Client(server.url, agent) as client:
        session = await client.session()
        accepted = await client.accepted(session, "go")
        async with client.feed(session, after=accepted["position"]) as feed:
            frames = await feed.until(completed)

    types = [frame.json["type"] for frame in frames]
    assert types.count("TEXT_MESSAGE_START") == types.count("TEXT_MESSAGE_END") == 1
    assert types.index("TEXT_MESSAGE_END") < types.index("MESSAGE_TURN_ERROR")
    assert (frames[-1].json["status"], frames[-1].json["errorType"]) == ("failed", error)


async def test_a_run_that_takes_the_server_down_is_begun_three_times_at_most(
    make_server: Make, sqlite_url: str, file: str
) -> None:
    server = make_server(sqlite_url, file).start()
    async with Client(server.url, "poison") as client:
        session = await client.session()
        with suppress(httpx.HTTPError):
            await client.send(session, "go")
    server.wait()

    deaths = 1
    while (runs := await _runs_if_it_lives(server, session)) is None and deaths < 6:
        deaths += 1

    assert deaths == 3
    assert runs is not None
    assert [run["error"]["type"] for run in runs] == ["RunLost"]


async def _runs_if_it_lives(server: ServerProcess, session: str) -> list[dict[str, Any]] | None:
    """Start the server, and return its runs once none is active; None when it dies first."""
    try:
        server.start()
        async with Client(server.url) as client, asyncio.timeout(20):
            while True:
                response = await client.http.get(f"/sessions/{session}/branches/main/runs")
                # On its way down it may still answer, with a problem.
                runs: list[dict[str, Any]] = response.raise_for_status().json()
                if all(run["status"] != "active" for run in runs):
                    return runs
    except (AssertionError, httpx.HTTPError):
        server.wait()
        return None
