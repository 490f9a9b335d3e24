"""User code behind `branchline serve`, in every shape that it may have."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess

AGENTS = '''
import asyncio
from pathlib import Path

import hosting
from events.event import Event


class RetrievalProgressEvent(Event, frozen=True, kw_only=True):
    percent: int


class OutOfStock(hosting.AgentError):
    """For people to read."""


@hosting.agent("generator")
async def generator(context):
    for word in context.input[-1].text.split():
        yield f"{word} "


@hosting.agent("coroutine", name="The Coroutine")
async def coroutine(context):
    async def write(reply):
        await reply.reason("hm")
        await reply.text(f"{context.agent_id} heard {context.input[-1].text}")

    await context.emit(RetrievalProgressEvent(percent=50))
    first = await context.model_call(write)
    assert first.text == "coroutine heard hi"


@hosting.agent("public")
async def public(context):
    yield "Let me look. "
    raise OutOfStock("There are no pears.")


@hosting.agent("private")
async def private(context):
    yield "Let me look. "
    raise RuntimeError("password=hunter2 in /etc/secret")


@hosting.agent("number")
async def number(context):
    async def write(reply):
        await reply.text("one ")
        await reply.text(2)

    await context.model_call(write)


@hosting.agent("surrogate")
async def surrogate(context):
    yield "one "
    yield "\\ud800"


@hosting.agent("leaver")
async def leaver(context):
    yield "one "
    raise SystemExit(4)


@hosting.agent("stepper")
async def stepper(context):
    async def buy():
        with Path("bought.txt").open("a") as ledger:
            ledger.write("pears\\n")
        return {"pears": 3}

    bought = await context.step("buy", buy, arguments={"what": "pears"})

    async def write(reply):
        await reply.text(f"I bought {bought['pears']} pears. ")
        for index in range(60):
            await reply.text(f"tok{index} ")
            await asyncio.sleep(0.02)

    await context.model_call(write)


@hosting.agent("cleaner")
async def cleaner(context):
    try:
        yield "one "
        yield 2
    finally:
        waited_for, _ = await asyncio.open_connection("127.0.0.1", int(context.input[-1].text))
        Path("cleaned.txt").write_bytes(await waited_for.read())


class Named:
    name = "Named"

    async def run(self, context):
        async def write(reply):
            await reply.text("I am an object.")

        await context.model_call(write)


class Known(Named):
    agent_id = "known-by-its-id"


by_attribute = Named()
known = Known()
'''


def served(make_server: Callable[..., ServerProcess], tmp_path: Path, url: str, *targets: str) -> ServerProcess:
    """Return a running server of the agents above."""
    (tmp_path / "my_agents.py").write_text(AGENTS)
    return make_server(url, *(targets or ("my_agents.py",)), lease_seconds=3).start()


async def run_of(server: ServerProcess, agent: str, text: str = "hi") -> list[dict[str, Any]]:
    """Send a text to an agent in a new session and return the events of its run."""
    async with Client(server.url, agent) as client:
        session = await client.session()
        accepted = await client.accepted(session, text)
        async with client.feed(session, after=accepted["position"]) as feed:
            return [frame.json for frame in await feed.until(completed)]


@asynccontextmanager
async def cleaning() -> AsyncIterator[tuple[int, asyncio.Future[asyncio.StreamWriter]]]:
    """Give a port that an agent waits at while it cleans up, and what it is let go with once it waits."""
    begun: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    listener = await asyncio.start_server(lambda _, writer: begun.set_result(writer), "127.0.0.1", 0)
    async with listener, asyncio.timeout(20):
        yield listener.sockets[0].getsockname()[1], begun


def said(events: list[dict[str, Any]]) -> str:
    """Return the text of the answer."""
    return "".join(event["text"] for event in events if event["type"] == "TEXT_DELTA")


async def test_each_shape_of_agent_answers(
    make_server: Callable[..., ServerProcess], tmp_path: Path, sqlite_url: str
) -> None:
    targets = ("my_agents.py", "my_agents:by_attribute", "my_agents.py:known")
    server = served(make_server, tmp_path, sqlite_url, *targets)

    answers = {
        agent: said(await run_of(server, agent))
        for agent in ("generator", "coroutine", "by_attribute", "known-by-its-id", "demo")
    }

    assert answers == {
        "generator": "hi ",
        "coroutine": "coroutine heard hi",
        "by_attribute": "I am an object.",
        "known-by-its-id": "I am an object.",
        "demo": "You said: hi — try /help for more.",
    }


async def test_an_agent_emits_the_custom_events_of_its_module(
    make_server: Callable[..., ServerProcess], tmp_path: Path, database_url: str
) -> None:
    server = served(make_server, tmp_path, database_url)

    events = await run_of(server, "coroutine")

    custom = next(event for event in events if event["type"] == "RETRIEVAL_PROGRESS")
    assert custom["percent"] == 50
    assert events[-1]["status"] == "completed"
    turn = next(event for event in events if event["type"] == "MESSAGE_TURN_STARTED")
    assert turn["agentName"] == "The Coroutine"


async def test_an_agents_own_error_is_told_in_its_words(
    make_server: Callable[..., ServerProcess], tmp_path: Path, sqlite_url: str
) -> None:
    server = served(make_server, tmp_path, sqlite_url)

    events = await run_of(server, "public")

    assert said(events) == "Let me look. "
    assert [event["type"] for event in events[-3:]] == [
        "TEXT_MESSAGE_END",
        "MESSAGE_TURN_ERROR",
        "BRANCH_RUN_COMPLETED",
    ]
    assert events[-2]["message"] == "There are no pears."
    assert events[-1]["errorType"] == "OutOfStock"
    assert events[-1]["errorMessage"] == "There are no pears."


async def test_the_text_of_any_other_exception_reaches_the_servers_log_alone(
    make_server: Callable[..., ServerProcess], tmp_path: Path, sqlite_url: str
) -> None:
    server = served(make_server, tmp_path, sqlite_url)

    events = await run_of(server, "private")

    assert events[-1]["errorType"] == "RuntimeError"
    assert events[-1]["errorMessage"] == "The agent failed."
    whole = json.dumps(events)
    assert [secret for secret in ("hunter2", "/etc", "Traceback", "my_agents.py") if secret in whole] == []
    assert "hunter2" in server.errors.read_text()


@pytest.mark.parametrize(
    ("agent", "error"), [("number", "TypeError"), ("surrogate", "UnicodeEncodeError"), ("leaver", "SystemExit")]
)
async def test_an_agent_that_misbehaves_ends_its_run_and_not_the_server(
    make_server: Callable[..., ServerProcess], tmp_path: Path, database_url: str, agent: str, error: str
) -> None:
    server = served(make_server, tmp_path, database_url)

    events = await run_of(server, agent)
    after = await run_of(server, "generator", "still there")

    assert [event["text"] for event in events if event["type"] == "TEXT_DELTA"] == ["one "]
    assert (events[-1]["status"], events[-1]["errorType"]) == ("failed", error)
    assert said(after) == "still there "


async def test_a_generator_that_is_stopped_cleans_up_before_its_run_ends(
    make_server: Callable[..., ServerProcess], tmp_path: Path, sqlite_url: str
) -> None:
    server = served(make_server, tmp_path, sqlite_url)

    async with cleaning() as (port, begun), Client(server.url, "cleaner") as client:
        session = await client.session()
        accepted = await client.accepted(session, str(port))
        async with client.feed(session, after=accepted["position"]) as feed:
            writer = await begun
            active = (await client.http.get(f"/sessions/{session}/branches/main/runs/active")).json()
            writer.write(b"yes")
            writer.close()
            events = [frame.json for frame in await feed.until(completed)]

    assert active["status"] == "active"
    assert events[-1]["status"] == "failed"
    assert (tmp_path / "cleaned.txt").read_text() == "yes"


async def test_a_step_that_was_done_is_not_done_again_after_kill_9(
    make_server: Callable[..., ServerProcess], tmp_path: Path, database_url: str
) -> None:
    server = served(make_server, tmp_path, database_url)
    async with Client(server.url, "stepper") as client:
        session = await client.session()
        accepted = await client.accepted(session, "pears, please")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event.get("text") == "tok10 ")
            server.kill()

    server.start()
    async with Client(server.url, "stepper") as client:
        async with client.feed(session, after=accepted["position"]) as feed:
            events = [frame.json for frame in await feed.until(completed)]

    last = [event["messageId"] for event in events if event["type"] == "TEXT_MESSAGE_START"][-1]
    answer = said([event for event in events if event.get("messageId") == last])
    assert events[-1]["status"] == "completed"
    assert answer == "I bought 3 pears. " + "".join(f"tok{index} " for index in range(60))
    assert (tmp_path / "bought.txt").read_text() == "pears\n"
