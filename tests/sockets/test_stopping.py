"""A server that stops takes its leave of every WebSocket; one that is killed is come back to."""

import asyncio
import time
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request, only
from tests.harness.process import ServerProcess
from tests.runs.written import named
from tests.sockets.raw import TEXT, RawSocket, frame
from tests.sockets.talk import Talk

TOKENS = 300
STOPS_WITHIN_SECONDS = 15


async def test_a_server_that_stops_says_so_to_all_with_1001_and_the_run_goes_on(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1.5).start()
    async with Client(server.url) as client:
        session, quiet = await client.session(), await client.session()
        async with Talk(client, session) as busy, Talk(client, quiet) as silent, Talk(client, quiet) as idle:
            await idle.say("Hi")
            await idle.end()
            await busy.say(f"/tokens {TOKENS} 5")
            await busy.until(lambda event: event.get("text") == "tok30 ")
            seen = len(idle.lines)

            leaving = asyncio.create_task(asyncio.to_thread(server.terminate))
            endings = await asyncio.gather(*(talk.ending() for talk in (busy, silent, idle)))
            status = await leaving
    server.start()
    async with Client(server.url) as client:
        async with Talk(client, session, after=busy.events[-2]["eventId"]) as again:
            last = await again.end()
        lines = await client.log_lines(session)

    assert (status, server.errors.read_text()) == (0, "")
    assert endings == [(1001, "drain")] * 3
    assert last["status"] == "completed"
    assert busy.lines[:-1] + again.lines == lines[1:]
    assert (len(silent.lines), len(idle.lines) - seen) == (1, 1)
    for talk in (busy, silent, idle):
        closing = talk.events[-1]
        assert (closing["type"], closing["reason"]) == ("STREAM_CLOSING", "drain")
        assert 0 < closing["retryMs"] <= 2000
        assert "eventId" not in closing
    expected = only(silent.events, "STREAM_CLOSING")["retryMs"]
    assert named(silent.lines) == [
        '{"version":"1.0","type":"STREAM_CLOSING","timestamp":"TIME","sessionId":"ses_1","branchId":"main",'
        f'"channel":"control","kind":"control","reason":"drain","retryMs":{expected}}}'
    ]


async def test_a_client_that_does_not_answer_a_close_does_not_hold_up_a_stop(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with RawSocket(server.url, f"{client.path(session)}/ws") as deaf:
            begun = time.monotonic()
            leaving = asyncio.create_task(asyncio.to_thread(server.terminate))
            code, _ = await deaf.closing()
            status = await leaving
            took = time.monotonic() - begun

    assert code == 1001
    assert (status, server.errors.read_text()) == (0, "")
    assert took < STOPS_WITHIN_SECONDS


async def test_a_client_that_reads_nothing_does_not_hold_up_a_stop(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with RawSocket(server.url, f"{client.path(session)}/ws") as deaf:
            deaf.take_nothing()
            await deaf.write(frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"/tokens 50000"}'))
            async with client.feed(session) as feed:
                await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED", seconds=60)

            begun = time.monotonic()
            status = await asyncio.to_thread(server.terminate)
            took = time.monotonic() - begun

    assert status == 0
    assert took < STOPS_WITHIN_SECONDS


async def test_a_server_that_is_killed_is_come_back_to_and_nothing_is_lost_or_doubled(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    lines: list[str] = []
    async with Client(server.url) as client:
        session = await client.session()
        async with Talk(client, session) as talk:
            await talk.say(f"/tokens {TOKENS} 5")
            await _kill_when_it_says(server, talk, "tok50 ")
        lines += talk.lines
    server.start()
    async with Client(server.url) as client:
        async with Talk(client, session, after=talk.events[-1]["eventId"]) as talk:
            await _kill_when_it_says(server, talk, "tok100 ")
        lines += talk.lines
    server.start()
    async with Client(server.url) as client:
        async with Talk(client, session, after=talk.events[-1]["eventId"]) as talk:
            last = await talk.end()
        lines += talk.lines
        log = await client.log_lines(session)

    assert last["status"] == "completed"
    assert lines == log[1:]


async def test_a_question_outlives_the_server_and_is_answered_on_another_socket(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with Talk(client, session) as talk:
            await talk.say("/permission")
            asked = await talk.until(is_request)
            await asyncio.to_thread(server.kill)
    server.start()
    async with Client(server.url) as client:
        async with Talk(client, session) as again:
            await again.send(answer_to(asked, approved=True))
            last = await again.end()
        lines = await client.log_lines(session)

    assert again.events[0] == asked
    assert last["status"] == "completed"
    assert talk.lines[:-1] + again.lines == lines[1:]


async def _kill_when_it_says(server: ServerProcess, talk: Talk, text: str) -> None:
    await talk.until(lambda event: event.get("text") == text)
    await asyncio.to_thread(server.kill)
    with pytest.raises(ConnectionClosed) as cut:
        await talk.until("never")
    assert cut.value.rcvd is None
