"""Which version of a definition a run works with: the one it was accepted with, whatever happens to the definition."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.definitions.theatre import Theatre, asked_in
from tests.harness.client import Client
from tests.harness.conversation import answer_to, post_answer
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Call, Hold, Text

CAST = Path(__file__).with_name("cast.py")
BOOK = Call("book", '{"city":"Oslo"}')
MakeServer = Callable[..., ServerProcess]


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    """A provider that says `Yes.` when nothing else is scripted."""
    async with FakeProvider() as provider:
        provider.otherwise = lambda request: (Text("Yes."),)
        yield provider


@pytest.fixture
def server(make_server: MakeServer, database_url: str, key_file: Path) -> ServerProcess:
    """A server that takes endpoints from clients."""
    return make_server(database_url, str(CAST), client_endpoints="true", lease_seconds=1, key_file=key_file).start()


@pytest.fixture
async def theatre(server: ServerProcess, provider: FakeProvider) -> AsyncIterator[Theatre]:
    """A client and a provider."""
    async with Client(server.url) as client:
        yield Theatre(client, provider)


async def test_runs_that_have_begun_or_wait_go_on_with_their_version(theatre: Theatre) -> None:
    client, seen = theatre.client, asyncio.Event()
    theatre.provider.answers(Hold(seen), Call("weather", '{"city":"Oslo"}'))
    await theatre.define("Version one.", tools=["weather"])
    session = await client.session()
    first = (await client.accepted(session, "Go"))["runtimeRunId"]
    await theatre.provider.request(0)
    second = await theatre.queue(session, "Go on")

    revised = await theatre.revise("Version two.")
    third = await theatre.queue(session, "And now?")
    before = await client.run(session, second)
    seen.set()
    runs = [await theatre.ended(session, run_id) for run_id in (first, second, third)]

    assert revised["version"] == 2
    assert (before["status"], before["agentVersion"]) == ("queued", 1)
    assert [(run["status"], run["agentVersion"]) for run in runs] == [("completed", version) for version in (1, 1, 2)]
    asked = [await theatre.instructed(number) for number in range(4)]
    assert asked == ["Version one.", "Version one.", "Version one.", "Version two."]
    listed = (await client.http.get(f"{client.path(session)}/runs")).json()
    assert [run["agentVersion"] for run in listed] == [1, 1, 2]


async def test_a_run_that_was_cut_goes_on_with_its_version_of_a_changed_and_deleted_definition(
    theatre: Theatre, server: ServerProcess
) -> None:
    client = theatre.client
    theatre.provider.answers(Hold())
    agent_id = await theatre.define("Version one.")
    session = await client.session()
    active = (await client.accepted(session, "Go"))["runtimeRunId"]
    await theatre.provider.request(0)
    waiting = await theatre.queue(session, "Go on")
    await theatre.revise("Version two.")

    assert (await client.http.delete(f"/agents/{agent_id}")).status_code == 204
    refused = await client.send(session, "Too late")
    server.kill()
    server.start()
    async with Client(server.url, agent_id) as again:
        theatre.client = again
        runs = [await theatre.ended(session, run_id) for run_id in (active, waiting)]

    assert (refused.status_code, refused.json()["code"]) == (404, "agent-not-found")
    assert [(run["status"], run["agentVersion"]) for run in runs] == [("completed", 1)] * 2
    assert [await theatre.instructed(number) for number in range(3)] == ["Version one."] * 3
    assert len(theatre.provider.requests) == 3


async def test_a_run_of_a_deleted_definition_can_be_answered_and_interrupted(theatre: Theatre) -> None:
    client, sessions = theatre.client, [await theatre.client.session() for _ in range(2)]
    theatre.provider.otherwise = lambda request: (
        (Text("Yes."),) if "tool" in {message["role"] for message in request.messages()} else (BOOK,)
    )
    agent_id = await theatre.define("Book.", tools=["book"])
    runs = [(await client.accepted(session, "Go"))["runtimeRunId"] for session in sessions]
    asked = [(await asked_in(client, session))["request"] for session in sessions]

    assert (await client.http.delete(f"/agents/{agent_id}")).status_code == 204
    answered = await post_answer(client, sessions[0], answer_to(asked[0], approved=True))
    interrupted = await client.http.post(f"{client.path(sessions[1])}/interrupt")
    ended = [await client.ended(*pair) for pair in zip(sessions, runs, strict=True)]

    assert (answered.status_code, interrupted.status_code) == (200, 202)
    assert [run["status"] for run in ended] == ["completed", "cancelled"]


async def test_an_agent_inside_of_another_goes_on_with_its_version_too(theatre: Theatre, server: ServerProcess) -> None:
    agent_id = await theatre.define("Version one.")
    theatre.provider.answers(Hold())
    director = Client(server.url, "director")
    session = await director.session()

    run_id = (await director.accepted(session, agent_id))["runtimeRunId"]
    await theatre.provider.request(0)
    await theatre.revise("Version two.")
    server.kill()
    await director.http.aclose()
    server.start()
    async with Client(server.url, "director") as director:
        run = await director.ended(session, run_id)
        next_run = await director.ended(session, (await director.accepted(session, agent_id))["runtimeRunId"])

    assert [run["status"], next_run["status"]] == ["completed"] * 2
    assert "agentVersion" not in run
    asked = [await theatre.instructed(number) for number in range(3)]
    assert asked == ["Version one.", "Version one.", "Version two."]


async def test_an_agent_that_nobody_has_is_a_failed_call_inside_of_another(theatre: Theatre) -> None:
    director = theatre.client
    director.agent = "director"
    session = await director.session()

    run = await director.ended(session, (await director.accepted(session, "agt_none"))["runtimeRunId"])

    assert run["status"] == "failed"
    assert run["error"]["type"] == "AgentMissing"


async def test_a_definition_that_a_server_started_anew_cannot_build_fails_its_runs_and_says_why(
    make_server: MakeServer, database_url: str, theatre: Theatre, server: ServerProcess
) -> None:
    agent_id = await theatre.define("Look out.", tools=["weather"])
    server.terminate()

    async with Client(make_server(database_url, client_endpoints="true").start().url, agent_id) as client:
        session = await client.session()
        run = await client.ended(session, (await client.accepted(session, "Go"))["runtimeRunId"])

    assert run["status"] == "failed"
    assert run["error"] == {
        "type": "ConfigRefused",
        "message": "This server has no tool 'weather' - at `tools[0]`.",
    }


async def test_no_answer_shows_what_may_be_a_key(theatre: Theatre, server: ServerProcess) -> None:
    secret = "sk-the-secret"
    tools = {"name": "shop", "url": f"http://127.0.0.1:1/mcp?key={secret}", "headers": {"Authorization": secret}}

    agent_id = await theatre.define("Act.", mcpServers=[tools])
    answers = [
        await theatre.client.http.get(f"/agents/{agent_id}"),
        await theatre.client.http.get("/agents"),
        await theatre.client.http.put(
            f"/agents/{agent_id}", json={"config": theatre.config("Act again.", mcpServers=[tools])}
        ),
        await theatre.client.http.post("/agents", json={"name": "x", "config": {"mcpServers": [tools, 7]}}),
    ]

    shown = answers[0].json()["config"]["mcpServers"][0]
    assert (shown["url"], shown["headers"]) == ("http://127.0.0.1:1/mcp?key=***", {"Authorization": "***"})
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert [secret in answer.text for answer in answers] == [False] * 4
    assert secret not in server.errors.read_text()
