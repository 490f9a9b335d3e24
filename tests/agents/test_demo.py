"""The demo agent does what its commands say, over a real server."""

from typing import Any

from tests.harness.client import Client
from tests.harness.feed import completed

ACCEPTANCE = ["BRANCH_RUN_STARTED", "MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED"]
TURN = ["MESSAGE_TURN_STARTED", "AGENT_TURN_STARTED"]
END = ["AGENT_TURN_FINISHED", "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]


async def run_of(client: Client, session: str, text: str) -> list[dict[str, Any]]:
    """Send a text and return the events of its run."""
    accepted = await client.accepted(session, text)
    async with client.feed(session, after=accepted["position"]) as feed:
        return [frame.json for frame in await feed.until(completed)]


def folded(events: list[dict[str, Any]]) -> list[str]:
    """Return the types in order, deltas in a row as one."""
    types: list[str] = []
    for event in events:
        if not (types and types[-1] == event["type"] and event["type"].endswith("_DELTA")):
            types.append(event["type"])
    return types


def pieces(events: list[dict[str, Any]], kind: str = "TEXT_DELTA") -> list[str]:
    """Return the texts of the deltas."""
    return [event["text"] for event in events if event["type"] == kind]


async def test_plain_text_is_answered_in_one_message_of_many_deltas(client: Client) -> None:
    session = await client.session()

    events = await run_of(client, session, "Hello, how are you today?")

    assert folded(events) == [*ACCEPTANCE, *TURN, "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END", *END]
    assert len(pieces(events)) > 5
    assert "Hello, how are you today?" in "".join(pieces(events))
    assert len({event["messageId"] for event in events if event["type"].startswith("TEXT_")}) == 1


async def test_tokens_streams_exactly_as_many_deltas_as_asked_for(sqlite_client: Client) -> None:
    session = await sqlite_client.session()

    for count in (0, 1, 700):
        events = await run_of(sqlite_client, session, f"/tokens {count}")

        assert pieces(events) == [f"tok{index} " for index in range(count)]
        assert events[-1]["status"] == "completed"


async def test_tokens_takes_its_time_when_told_to(sqlite_client: Client) -> None:
    session = await sqlite_client.session()

    events = await run_of(sqlite_client, session, "/tokens 4 50")

    finished = next(event for event in events if event["type"] == "MESSAGE_TURN_FINISHED")
    assert pieces(events) == ["tok0 ", "tok1 ", "tok2 ", "tok3 "]
    assert float(finished["duration"].removeprefix("PT").removesuffix("S")) >= 0.2


async def test_tokens_streams_no_other_number_than_the_one_asked_for(sqlite_client: Client) -> None:
    session = await sqlite_client.session()

    for words in ("many", "-1", "1000001", "3 soon", "9" * 500):
        events = await run_of(sqlite_client, session, f"/tokens {words}")

        assert "".join(pieces(events)).startswith("Say /tokens N [delayMs]:"), words


async def test_reason_reasons_before_it_speaks(client: Client) -> None:
    session = await client.session()

    events = await run_of(client, session, "/reason")

    assert folded(events) == [
        *ACCEPTANCE,
        *TURN,
        "REASONING_MESSAGE_START",
        "REASONING_DELTA",
        "REASONING_MESSAGE_END",
        "TEXT_MESSAGE_START",
        "TEXT_DELTA",
        "TEXT_MESSAGE_END",
        *END,
    ]
    assert len(pieces(events, "REASONING_DELTA")) > 5
    assert pieces(events)


async def test_fail_closes_its_message_and_ends_the_run_as_failed(client: Client) -> None:
    session = await client.session()

    events = await run_of(client, session, "/fail")

    assert folded(events) == [
        *ACCEPTANCE,
        *TURN,
        "TEXT_MESSAGE_START",
        "TEXT_DELTA",
        "TEXT_MESSAGE_END",
        "MESSAGE_TURN_ERROR",
        "BRANCH_RUN_COMPLETED",
    ]
    assert next(event for event in events if event["type"] == "TEXT_MESSAGE_END")["interrupted"] is True
    assert events[-2]["message"] == "You asked the demo agent to fail, and it did."
    assert events[-1]["status"] == "failed"
    assert events[-1]["errorType"] == "DemoFailure"
    assert events[-1]["errorMessage"] == "You asked the demo agent to fail, and it did."


async def test_the_branch_works_on_after_a_failure(client: Client) -> None:
    session = await client.session()
    await run_of(client, session, "/fail")

    events = await run_of(client, session, "still there?")

    assert events[-1]["status"] == "completed"


async def test_history_tells_how_many_messages_it_was_given_and_their_ids(client: Client) -> None:
    session = await client.session()
    first = await run_of(client, session, "hello")
    answered = next(event["messageId"] for event in first if event["type"] == "TEXT_MESSAGE_START")

    events = await run_of(client, session, "/history")

    asked, now = first[0]["messageId"], events[0]["messageId"]
    assert "".join(pieces(events)) == f"I was given 3 messages: {asked} {answered} {now}"


async def test_an_unknown_command_is_told_of_the_known_ones(sqlite_client: Client) -> None:
    session = await sqlite_client.session()

    events = await run_of(sqlite_client, session, "/nonsense")

    answer = "".join(pieces(events))
    assert answer.startswith("Unknown command.")
    assert all(command in answer for command in ("/tokens", "/reason", "/fail", "/history"))
