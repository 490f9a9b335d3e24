"""One line through all layers: an input, its events, a crash, and the rest of the stream."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ColdServerProcess

TOKENS = 400


@pytest.fixture
def server(tmp_path: Path, bare_database_url: str) -> Iterator[ColdServerProcess]:
    """A server for which nothing is prepared: it imports what it needs, and makes its tables."""
    with ColdServerProcess(tmp_path, bare_database_url, lease_seconds=3) as server:
        yield server


async def test_a_run_survives_kill_9_and_a_reader_resumes_where_it_was(server: ColdServerProcess) -> None:
    async with Client(server.url) as client:
        session = await client.session("s1")
        accepted = await client.accepted(session, f"/tokens {TOKENS} 5")
        async with client.feed(session, after=accepted["position"]) as feed:
            seen = await feed.until(lambda event: event.get("text") == "tok40 ")
            server.kill()

    server.start()
    async with Client(server.url) as client:
        async with client.feed(session, last_event_id=seen[-1].id) as feed:
            rest = await feed.until(completed)
        log = await client.log_lines(session)
        run = await client.run(session, accepted["runtimeRunId"])
        answer = await client.accepted(session, "still there?")

    assert [frame.data for frame in [*seen, *rest]] == log[1:]
    assert [frame.json["sequenceNumber"] for frame in [*seen, *rest]] == list(range(2, len(log) + 1))
    events = [frame.json for frame in rest]
    cut = next(event for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert cut["interrupted"] is True
    types = [event["type"] for event in events]
    cut_at = types.index("TEXT_MESSAGE_END")
    assert types[cut_at : cut_at + 5] == [
        "TEXT_MESSAGE_END",
        "MODEL_CALL_RETRY",
        "MESSAGE_TURN_STARTED",
        "AGENT_TURN_STARTED",
        "TEXT_MESSAGE_START",
    ]
    last = [event for event in events if event["type"] == "TEXT_DELTA" and event["messageId"] != cut["messageId"]]
    assert "".join(event["text"] for event in last) == "".join(f"tok{index} " for index in range(TOKENS))
    assert run["status"] == "completed"
    assert answer["status"] == "active"
