"""SIGTERM: not ready first, then every reader is sent away, runs get their grace, and nothing is lost."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.drain.crowd import Crowd, Stop
from tests.harness.client import Client
from tests.harness.feed import opened
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.sockets.raw import TEXT, RawSocket, frame

Make = Callable[..., ServerProcess]

GRACE_SECONDS = 10
SHORT_GRACE_SECONDS = 1
EXITS_WITHIN_SECONDS = 2


async def test_runs_end_within_the_grace_while_all_readers_are_sent_away(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        crowd = await Crowd.gather(client, "/tokens 400 5", streams=30, sockets=10)

        stop = await crowd.outlast(server, seen="tok20 ")

    server.start()
    async with Client(server.url) as client:
        runs = [await client.run(at, run["runtimeRunId"]) for at, run in zip(crowd.sessions, crowd.runs, strict=True)]
        types = {event["type"] for at in crowd.sessions for event in await client.log(at)}
    await crowd.come_back(server.url)

    _assert_stopped_in_order(stop, GRACE_SECONDS)
    _assert_spread(crowd.retries())
    assert [run["status"] for run in runs] == ["completed"] * len(runs)
    assert "MODEL_CALL_RETRY" not in types


async def test_runs_that_outlast_the_grace_go_on_in_the_next_server(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, grace_seconds=SHORT_GRACE_SECONDS).start()
    async with Client(server.url) as client:
        crowd = await Crowd.gather(client, "/tokens 600 5", streams=10, sockets=5)

        stop = await crowd.outlast(server, seen="tok20 ")

    server.start()
    await crowd.come_back(server.url)

    _assert_stopped_in_order(stop, SHORT_GRACE_SECONDS)
    _assert_spread(crowd.retries())


async def test_what_waits_in_the_queue_is_left_to_the_next_server(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session()
        await client.accepted(session, "/tokens 200 5")
        body = {"text": "/tokens 200 5", "runningRunBehavior": "queue"}
        queued = (await client.http.post(f"{client.path(session)}/inputs", json=body)).json()

        status = await asyncio.to_thread(server.terminate)

    server.start()
    async with Client(server.url) as client:
        run = await client.ended(session, queued["runtimeRunId"])
        types = [event["type"] for event in await client.log(session)]

    assert (status, run["status"]) == (0, "completed")
    assert types.count("BRANCH_RUN_COMPLETED") == 2
    # Promoted as the first one ended, and not begun there.
    assert "MODEL_CALL_RETRY" not in types


async def test_a_run_that_a_stopping_server_gives_back_goes_on_elsewhere_at_once(
    make_server: Make, postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    leaving = make_server(url, lease_seconds=60, grace_seconds=SHORT_GRACE_SECONDS).start()
    staying = make_server(url, lease_seconds=60, sweep_seconds=0.1).start()
    async with Client(leaving.url) as client, Client(staying.url) as elsewhere:
        session = await client.session()
        accepted = await client.accepted(session, "/tokens 600 5")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event.get("text") == "tok20 ")
            await asyncio.to_thread(leaving.terminate)
            frames = await feed.to_end()
        run = await elsewhere.ended(session, accepted["runtimeRunId"])

    assert frames[-1].json["reason"] == "drain"
    assert run["status"] == "completed"


async def test_clients_that_read_nothing_hold_up_no_stop(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, grace_seconds=60).start()
    async with Client(server.url) as client:
        session = await client.session()
        position = await client.position(session)
        feeds = [client.feed(session, after=position) for _ in range(5)]
        path = f"{client.path(session)}/ws?after={position}"
        async with opened(feeds), RawSocket(server.url, path) as deaf, client.feed(session, after=position) as reader:
            deaf.take_nothing()
            for feed in feeds:
                feed.take_nothing()
            await deaf.write(frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"/tokens 30000"}'))
            await reader.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED", seconds=60)

            begun = time.monotonic()
            status = await asyncio.to_thread(server.terminate)
            took = time.monotonic() - begun

    log = server.errors.read_text()
    assert status == 0
    assert took < 10
    assert '"level": "error"' not in log
    assert log.count('"reason": "slow"') == 6


async def test_readers_and_runs_of_a_stopping_server_go_on_at_the_other_one(
    make_server: Make, postgres: PostgresCluster
) -> None:
    stop, retries = await _stop_beside_another(make_server, await postgres.create_database_async(), streams=20)

    _assert_stopped_in_order(stop, SHORT_GRACE_SECONDS)
    _assert_spread(retries)


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_b7_200_streams_and_50_sockets_lose_nothing(make_server: Make, database_url: str) -> None:
    server = make_server(database_url).start()
    async with Client(server.url) as client:
        crowd = await Crowd.gather(client, "/tokens 2500 5", streams=200, sockets=50)

        stop = await crowd.outlast(server, seen="tok20 ")

    server.start()
    await crowd.come_back(server.url)

    retries = crowd.retries()
    print(
        f"b7 250 ok / 250 total: stopped in {stop.seconds:.1f} s; told to stay away {min(retries)} to {max(retries)} ms"
    )
    _assert_stopped_in_order(stop, GRACE_SECONDS)
    _assert_spread(retries)


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_b7_200_streams_and_50_sockets_resume_at_the_other_server(
    make_server: Make, postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()

    stop, retries = await _stop_beside_another(
        make_server, url, streams=200, sockets=50, text="/tokens 2500 5", grace_seconds=GRACE_SECONDS
    )

    print(f"b7 250 ok / 250 total resumed at the other server: stopped in {stop.seconds:.1f} s")
    _assert_stopped_in_order(stop, GRACE_SECONDS)
    _assert_spread(retries)


async def _stop_beside_another(
    make_server: Make,
    url: str,
    *,
    streams: int,
    sockets: int = 5,
    text: str = "/tokens 600 5",
    grace_seconds: float = SHORT_GRACE_SECONDS,
) -> tuple[Stop, list[int]]:
    """Stop a server that many follow, and let them come back to one that was beside it all the time."""
    leaving, staying = (make_server(url, grace_seconds=grace_seconds).start() for _ in range(2))
    async with Client(leaving.url) as client:
        crowd = await Crowd.gather(client, text, streams=streams, sockets=sockets)
        stop = await crowd.outlast(leaving, seen="tok20 ")
    await crowd.come_back(staying.url)
    return stop, crowd.retries()


def _assert_stopped_in_order(stop: Stop, grace_seconds: float) -> None:
    readiness, refused, read = stop.answers
    assert [(answer.status_code, answer.json().get("code")) for answer in (readiness, refused)] == [
        (503, "not-ready"),
        (503, "not-ready"),
    ]
    assert refused.headers["retry-after"] == "2"
    assert read.status_code == 200
    assert stop.status == 0
    assert stop.seconds <= grace_seconds + EXITS_WITHIN_SECONDS
    assert '"level": "error"' not in stop.log


def _assert_spread(retries: list[int]) -> None:
    assert all(0 < retry_ms <= 2000 for retry_ms in retries)
    assert len(set(retries)) > len(retries) / 2
