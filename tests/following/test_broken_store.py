"""Damaged rows are told of, never handed out."""

import httpx

from tests.following.log_bytes import LogBytes
from tests.harness.client import Client, split_array
from tests.harness.feed import completed
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.runs.written import named

RUNS = 16


async def test_a_stream_that_meets_damage_apologises_and_closes_and_the_next_one_comes_as_far(
    client: Client, server: ServerProcess
) -> None:
    log, damaged = await _damaged_log(client, server, row=-3)

    streams = []
    for _ in range(2):
        async with client.feed(log.session, last_event_id=log.place(1)) as feed:
            streams.append(await feed.to_end())

    for opening, *frames, error, closing in streams:
        assert opening.id == log.place(1)
        assert [frame.data for frame in frames] == log.lines[1 : 1 + len(frames)]
        assert 0 < len(frames) < damaged
        assert (error.id, error.retry, error.event) == (None, None, None)
        assert named([str(error.data)]) == [
            '{"version":"1.0","type":"MESSAGE_TURN_ERROR","timestamp":"TIME","sessionId":"ses_1","branchId":"main",'
            '"kind":"lifecycle","message":"The stream broke on the server; come back from the last event you have.",'
            '"errorType":"StreamError","isModelNotFound":false,"isRetryable":true}'
        ]
        assert (closing.id, closing.json["type"], closing.json["reason"]) == (None, "STREAM_CLOSING", "error")
        assert closing.retry == str(closing.json["retryMs"])


async def test_behind_the_damage_the_log_is_followed_as_ever(client: Client, server: ServerProcess) -> None:
    log, _ = await _damaged_log(client, server, row=-3)

    async with client.feed(log.session) as feed:
        await client.accepted(log.session, "Hi")
        frames = await feed.until(completed)

    assert [frame.json["sequenceNumber"] for frame in frames] == [
        len(log.lines) + number for number in range(1, len(frames) + 1)
    ]


async def test_a_log_whose_damage_is_met_late_is_broken_off_and_never_a_whole_array(
    client: Client, server: ServerProcess
) -> None:
    log, damaged = await _damaged_log(client, server, row=-3)

    received, broken = b"", False
    try:
        async with client.http.stream("GET", f"/sessions/{log.session}/branches/main/events") as response:
            async for piece in response.aiter_raw():
                received += piece
    except httpx.RemoteProtocolError:
        broken = True

    assert (response.status_code, broken) == (200, True)
    assert not received.endswith(b"]")
    before = split_array(received.decode() + "]")
    assert before == log.lines[: len(before)]
    assert 0 < len(before) < damaged


async def test_a_log_whose_damage_is_met_first_is_a_problem(client: Client, server: ServerProcess) -> None:
    log, _ = await _damaged_log(client, server, row=0)

    whole = await client.http.get(f"/sessions/{log.session}/branches/main/events")
    page = await client.http.get(f"/sessions/{log.session}/branches/main/events?limit=1")

    for response in (whole, page):
        assert (response.status_code, response.json()["code"]) == (500, "internal-error")
        assert response.headers["content-type"] == "application/problem+json"


async def test_a_row_that_is_gone_is_damage_too(client: Client, server: ServerProcess) -> None:
    log, damaged = await _damaged_log(client, server, row=-3, delete=True)

    async with client.feed(log.session, last_event_id=log.place(1)) as feed:
        opening, *frames, error, closing = await feed.to_end()

    assert opening.id == log.place(1)
    assert [frame.data for frame in frames] == log.lines[1 : damaged - 1]
    assert [error.json["type"], closing.json["type"]] == ["MESSAGE_TURN_ERROR", "STREAM_CLOSING"]


async def _damaged_log(
    client: Client, server: ServerProcess, *, row: int, delete: bool = False
) -> tuple[LogBytes, int]:
    """Return a log as it was and the number of the first event that is damaged now; nobody has followed it."""
    store = RawStore(server.database_url)
    session = await client.session()
    for _ in range(RUNS):
        await client.ended(session, (await client.accepted(session, "/tokens 1"))["runtimeRunId"])
    log = await LogBytes.of(client, session)
    ranges = await store.ranges(session)
    # Each acceptance is a commit of its own and so is each end: the last rows are not on the first page read.
    assert len(ranges) > 2 * RUNS
    first, _ = ranges[row]
    where = "first_seq = ? AND branch_key IN (SELECT key FROM branches WHERE session_id = ? AND id = 'main')"
    if delete:
        await store.run(f"DELETE FROM events WHERE {where}", first, session)
    else:
        ((frames,),) = await store.run(f"SELECT frames FROM events WHERE {where}", first, session)
        # As many events and bytes as before: only the checksum can tell.
        forged = frames.replace(b'"branchId":"main"', b'"branchId":"mian"')
        assert forged != frames
        await store.run(f"UPDATE events SET frames = ? WHERE {where}", forged, first, session)
    return log, first
