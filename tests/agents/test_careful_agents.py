"""What an author's first agents rely on: they say and call in a line each, and no crash does anything twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.agents.test_user_agents import said
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

AGENTS = Path(__file__).parent / "careful_agents.py"


async def talk(server: ServerProcess, agent: str, text: str = "a.txt", *, approved: bool | None = None) -> list[Any]:
    """Send a text, answer what is asked, and return the log, whose order is right."""
    async with Client(server.url, agent) as client:
        session = await client.session()
        accepted = await client.accepted(session, text)
        async with client.feed(session, after=accepted["position"]) as feed:
            if approved is not None:
                asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
                await answer(client, session, asked, approved=approved)
            await feed.until(completed)
        log = await client.log(session)
    check_log(log)
    return log


async def answer(client: Client, session: str, asked: dict[str, Any], **members: Any) -> None:
    """Answer a question."""
    kind = asked["type"].replace("REQUEST", "RESPONSE")
    ids = {name: asked[name] for name in ("permissionId", "requestId") if name in asked}
    response = await client.http.post(f"{client.path(session)}/responses", json={"type": kind, **ids, **members})
    assert response.status_code == 200, response.text


def of_type(log: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the events of a type."""
    return [event for event in log if event["type"] == kind]


async def test_a_tool_is_called_once_and_nothing_said_twice_however_often_the_server_is_killed(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, str(AGENTS), lease_seconds=1).start()
    async with Client(server.url, "cleaner") as client:
        session = await client.session()
        accepted = await client.accepted(session, "a.txt")
        async with client.feed(session, after=accepted["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
    server.kill()
    server.start()
    async with Client(server.url, "cleaner") as client:
        await answer(client, session, asked, approved=True)
        async with client.feed(session, after=accepted["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "CLARIFICATION_REQUEST"))[-1].json
    server.kill()
    server.start()

    async with Client(server.url, "cleaner") as client:
        await answer(client, session, asked, answer="No.")
        run = await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)

    assert run["status"] == "completed"
    assert (server.folder / "calls.txt").read_text() == "deleted a.txt\n"
    assert [event["text"] for event in of_type(log, "TEXT_DELTA")] == [
        "You want a.txt gone; I have to ask first.",
        "a.txt is deleted.",
        *("slowly " for _ in range(3)),
        "No.",
    ]
    assert len(of_type(log, "TOOL_CALL_START")) == len(of_type(log, "TOOL_CALL_END")) == 1
    check_log(log)


async def test_what_is_returned_is_said_and_what_is_denied_can_be_caught(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()

    allowed = await talk(server, "polite", approved=True)
    denied = await talk(server, "polite", approved=False)
    uncaught = await talk(server, "cleaner", approved=False)

    assert said(allowed) == "a.txt is deleted."
    assert said(denied) == "delete_file: The user denied this call."
    assert (denied[-1]["status"], uncaught[-1]["status"]) == ("completed", "failed")
    assert (uncaught[-1]["errorType"], uncaught[-1]["errorMessage"]) == ("CallDenied", "The user denied this call.")
    assert of_type(allowed, "MESSAGE_TURN_STARTED")[0]["agentName"] == "The polite one"
    assert (server.folder / "calls.txt").read_text() == "deleted a.txt\n"


async def test_a_call_with_wrong_arguments_is_not_made_and_nobody_is_asked_for_it(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()

    by_hand = await talk(server, "clumsy")
    by_a_message = await talk(server, "batch")

    assert said(by_hand) == (
        "The argument `name` does not fit: expected `str`, got `int`. "
        "The argument `name` is missing. "
        "There is no argument `colour`. "
        "The argument `times` does not fit: expected `int`, got `null`. "
        "There is no tool of this name. "
        "The tool explode failed."
    )
    assert said(by_a_message) == (
        'Error: The argument `name` does not fit: expected `str`, got `int`. {"area":2.0,"apart":true,"call":true}'
    )
    assert of_type(by_hand, "PERMISSION_REQUEST") == of_type(by_a_message, "PERMISSION_REQUEST") == []
    kinds = [event["result"].get("resultType") for event in of_type(by_a_message, "TOOL_CALL_RESULT")]
    assert sorted(kinds, key=str) == [None, "error"]
    assert (server.folder / "calls.txt").read_text() == "measured\n"


async def test_a_tool_that_is_not_async_works_in_a_thread_and_knows_its_call(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()

    log = await talk(server, "gardener")

    assert said(log) == "3 True True"
    assert [event["argsJson"] for event in of_type(log, "TOOL_CALL_ARGS")] == ['{"bed":{"length":3}}']


async def test_two_calls_at_once_fail_the_run_in_order_and_the_servers_log_says_how_it_is_done(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()

    log = await talk(server, "hasty")

    assert (log[-1]["errorType"], log[-1]["errorMessage"]) == ("RuntimeError", "The agent failed.")
    assert "context.call makes one call at a time; a message can make several" in server.errors.read_text()


async def test_functions_are_agents_that_take_the_run_context_alone_and_have_a_public_name(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS), "careful_agents:needs_more", f"{AGENTS}:_hidden")
    refused = server.refuse()
    server = make_server(sqlite_url, str(AGENTS), f"{AGENTS}:_hidden").start()

    answers = {
        agent: said(await talk(server, agent, "as it is")) for agent in ("plain", "pieces", "nothing", "_hidden")
    }
    async with Client(server.url) as client:
        session = await client.session()
        unknown = [
            name
            for name in ("again", "of_a_tool", "needs_more", "not_async", "asks_nicely", "note", "measure", "agent")
            if (await client.http.post(Client(server.url, name).path(session) + "/inputs", json={"text": "?"})).json()[
                "code"
            ]
            != "agent-not-found"
        ]

    assert refused[0] == 1
    assert answers == {
        "plain": "as it is, plainly",
        "pieces": "as! it! is! ",
        "nothing": "",
        "_hidden": "nobody sees me",
    }
    assert unknown == []


async def test_a_function_that_returns_what_cannot_be_said_fails_its_run_in_a_sentence(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()

    log = await talk(server, "numbers")

    assert (log[-1]["errorType"], log[-1]["errorMessage"]) == (
        "AnswerRefused",
        "The agent returned a value of type int; it returns a text, or nothing.",
    )


async def test_an_agent_that_says_something_else_when_it_begins_again_is_told_which_step_it_was(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(AGENTS)).start()
    async with Client(server.url, "fickle") as client:
        session = await client.session()
        accepted = await client.accepted(session, "hello")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event["type"] == "CLARIFICATION_REQUEST")
    server.kill()
    server.start()

    async with Client(server.url, "fickle") as client:
        run = await client.ended(session, accepted["runtimeRunId"])
        end = (await client.log(session))[-1]

    assert (run["status"], end["errorType"]) == ("failed", "RunDiverged")
    assert end["errorMessage"] == (
        "Begun again, the run asked for 'say' as its step 1, where it had asked for 'say' with other arguments."
    )
