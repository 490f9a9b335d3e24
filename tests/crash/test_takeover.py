"""Who goes on with a run: another node, nobody at all, and never two at once."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess

# What a node says when a run is no longer its own; which, depends on what it was doing when it was paused.
LET_GO = ("stopping a run", "run withdrawn", "run put off")


def _resumed(event: dict[str, Any]) -> bool:
    return event["type"] == "MESSAGE_TURN_STARTED" and event["isResume"] is True


async def _has_let_go(server: ServerProcess) -> bool:
    said = server.errors.read_text()
    return any(words in said for words in LET_GO)


async def test_a_run_that_was_cut_too_often_is_given_up_and_the_branch_is_free(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=2.5, run_attempts=2).start()
    async with Client(server.url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "/tokens 100000 5")
    for attempt in range(2):
        async with Client(server.url) as client, client.feed(session, after=accepted["position"]) as feed:
            if attempt:
                await feed.until(_resumed)
            await feed.until(lambda event: event["type"] == "TEXT_DELTA")
            server.kill()
        server.start()

    async with Client(server.url) as client:
        async with client.feed(session, after=accepted["position"]) as feed:
            frames = await feed.until(completed)
        run = await client.run(session, accepted["runtimeRunId"])
        await client.accepted(session, "next")

    last = frames[-1].json
    assert (last["status"], last["errorType"]) == ("failed", "RunLost")
    assert [frame.json["type"] for frame in frames[-3:-1]] == ["TEXT_MESSAGE_END", "MESSAGE_TURN_ERROR"]
    assert run["error"] == {"type": "RunLost", "message": last["errorMessage"]}


async def test_a_node_that_was_paused_past_its_lease_cannot_write_any_more(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    paused = make_server(url, lease_seconds=2.5, tops_seconds=0.2).start()
    other = make_server(url, lease_seconds=2.5, tops_seconds=0.2).start()
    async with Client(paused.url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "/tokens 300 10")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event.get("text") == "tok20 ")

    paused.signal(signal.SIGSTOP)
    async with Client(other.url) as client:
        async with client.feed(session, after=accepted["position"]) as feed:
            frames = await feed.until(completed)
        paused.signal(signal.SIGCONT)
        async with Client(paused.url) as returned, returned.feed(session, after=accepted["position"]) as feed:
            seen_there = await feed.until(completed)
        await client.accepted(session, "/tokens 50 5")
        async with client.feed(session, last_event_id=frames[-1].id) as feed:
            following = await feed.until(completed)
        log = await client.log_lines(session)

    assert [frame.data for frame in seen_there] == [frame.data for frame in frames]
    assert log[1:] == [frame.data for frame in [*frames, *following]]
    assert [frame.json["status"] for frame in frames if completed(frame.json)] == ["completed"]
    await seconds_until(lambda: _has_let_go(paused), within=10)


async def test_a_busy_node_that_was_paused_renews_again_and_loses_no_later_run(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=2.5).start()
    async with Client(server.url) as client:
        session = await client.session()
        for branch in ("a", "b", "c"):
            await client.branch(session, branch)
        await client.accepted(session, "/tokens 2000 5", "a")
        server.signal(signal.SIGSTOP)
        await asyncio.sleep(3.5)  # the fault itself: a pause longer than the lease
        server.signal(signal.SIGCONT)

        later = [await client.accepted(session, "/tokens 800 5", branch) for branch in ("b", "c")]
        for accepted, branch in zip(later, ("b", "c"), strict=True):
            async with client.feed(session, branch, after=accepted["position"]) as feed:
                frames = await feed.until(completed, seconds=40)
            types = [frame.json["type"] for frame in frames]
            assert frames[-1].json["status"] == "completed"
            assert "MODEL_CALL_RETRY" not in types
