"""The client against peers that misbehave, and against a real server."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from itertools import pairwise

import pytest

from events.catalog import Catalog
from events.event import Event
from events.ids import AgentId, BranchId, SessionId
from events.inputs import UserTextInput
from events.text import TextDelta
from hosting.client import (
    Accepted,
    AddressRefused,
    AnswerLost,
    AnswerUnreadable,
    BranchAddress,
    Client,
    FeedLost,
    Patience,
    PlaceLost,
    Problem,
    ProxyRefused,
    Received,
    ServerUnreachable,
)
from tests.cli.peer import ACCEPTED, Peer, answer, delta, stream
from tests.edge.deadline import seconds_until
from tests.harness.process import ServerProcess

AT = BranchAddress(AgentId("demo"), SessionId("s1"))
OPENING = "retry: 5\nid: aaaaaaaaaaaa.1"
AWAY = answer("503 Service Unavailable", b'{"code":"storage-unavailable","detail":"Away."}', "application/problem+json")
HASTY = Patience(silence=timedelta(seconds=5), attempts=3)


async def first(
    client: Client, count: int, *, after: str | None = None, on_cut: Callable[[str], None] | None = None
) -> list[Received]:
    """Return the first events of the branch."""
    received: list[Received] = []
    async with aclosing(client.follow(AT, after=after, on_cut=on_cut)) as events:
        async for event in events:
            received.append(event)
            if len(received) == count:
                break
    return received


def texts(received: list[Received]) -> list[str]:
    """Return the pieces of text."""
    return [each.event.text for each in received if isinstance(each.event, TextDelta)]


async def test_a_cut_connection_is_taken_up_again_behind_the_last_event() -> None:
    answers = (stream(OPENING, delta(2, "a"), delta(3, "b")), stream(OPENING, delta(4, "c")))
    async with Peer(*answers) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 3)

    assert texts(received) == ["a", "b", "c"]
    assert peer.places() == [None, "aaaaaaaaaaaa.3"]


async def test_half_an_event_does_not_count() -> None:
    answers = (stream(OPENING, delta(2, "a")) + delta(3, "lost")[:40].encode(), stream(OPENING, delta(3, "b")))
    async with Peer(*answers) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 2)

    assert texts(received) == ["a", "b"]
    assert peer.places() == [None, "aaaaaaaaaaaa.2"]


async def test_a_connection_cut_before_its_first_event_is_taken_up_from_where_it_opened() -> None:
    async with Peer(stream(OPENING), stream(OPENING, delta(2))) as peer, Client(peer.url, patience=HASTY) as client:
        await first(client, 1)

    assert peer.places() == [None, "aaaaaaaaaaaa.1"]


async def test_a_stream_that_is_closed_is_left_at_once_and_entered_again_after_its_retry() -> None:
    closing = 'retry: 300\ndata: {"version":"1.0","type":"STREAM_CLOSING","reason":"rotate","retryMs":300}'
    never_seen = stream(OPENING, delta(2, "a"), closing, delta(3, "never"))
    async with Peer(never_seen, stream(OPENING, delta(3, "b"))) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 2)

    assert texts(received) == ["a", "b"]
    assert peer.times[1] - peer.times[0] >= 0.3


async def test_what_has_no_place_is_no_event_of_the_log() -> None:
    apology = 'data: {"version":"1.0","type":"MESSAGE_TURN_ERROR","message":"broke","errorType":"StreamError"}'
    async with Peer(stream(OPENING, apology, delta(2, "a"))) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 1)

    assert texts(received) == ["a"]


async def test_the_client_waits_no_longer_than_it_chose_whatever_the_server_asks() -> None:
    patience = Patience(attempts=3, pause=timedelta(milliseconds=10))
    opening = OPENING.replace("retry: 5", "retry: 99000000")
    async with Peer(stream(opening), stream(opening, delta(2))) as peer, Client(peer.url, patience=patience) as client:
        await first(client, 1)

    assert len(peer.requests) == 2


async def test_a_silent_stream_is_cut_and_taken_up_again() -> None:
    patience = Patience(silence=timedelta(seconds=1), attempts=2)
    cuts: list[str] = []
    async with Peer(stream(OPENING, delta(2)), hold_last=True) as peer, Client(peer.url, patience=patience) as client:
        with pytest.raises(FeedLost) as lost:
            await first(client, 2, on_cut=cuts.append)

    assert lost.value.position == "aaaaaaaaaaaa.2"
    assert cuts[0] == "ReadTimeout"


async def test_a_feed_that_brings_nothing_is_given_up_after_the_attempts_chosen() -> None:
    async with Peer(*[stream(OPENING)] * 9) as peer, Client(peer.url, patience=HASTY) as client:
        with pytest.raises(FeedLost, match="in 3 attempts"):
            await first(client, 1)

    assert len(peer.requests) == 3


async def test_a_server_that_is_being_stopped_is_not_given_up() -> None:
    leaving = 'retry: 1\ndata: {"version":"1.0","type":"STREAM_CLOSING","reason":"drain","retryMs":1}'
    answers = [stream(OPENING, leaving)] * 5
    async with Peer(*answers, stream(OPENING, delta(2, "a"))) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 1)

    assert texts(received) == ["a"]


async def test_attempts_that_bring_nothing_come_ever_later_however_soon_the_server_asks_for_them() -> None:
    opening = OPENING.replace("retry: 5", "retry: 100")
    patience = Patience(attempts=4)
    async with Peer(*[stream(opening)] * 4) as peer, Client(peer.url, patience=patience) as client:
        with pytest.raises(FeedLost):
            await first(client, 1)

    pauses = [later - sooner for sooner, later in pairwise(peer.times)]
    assert [pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True)] == [True] * 3


async def test_signs_of_life_count_as_news() -> None:
    beat = ": heartbeat\nid: aaaaaaaaaaaa.1"
    answers = [stream(OPENING, beat)] * 4
    async with Peer(*answers, stream(OPENING, delta(2, "a"))) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 1)

    assert texts(received) == ["a"]


async def test_a_server_that_is_not_ready_is_asked_again() -> None:
    document = b'{"code":"storage-unavailable","detail":"The store is away.","status":503}'
    away = answer("503 Service Unavailable", document, "application/problem+json")
    patience = Patience(attempts=3, pause=timedelta(milliseconds=10))
    async with Peer(away, stream(OPENING, delta(2, "a"))) as peer, Client(peer.url, patience=patience) as client:
        received = await first(client, 1)

    assert texts(received) == ["a"]


async def test_a_place_that_the_log_no_longer_has_is_an_error_and_never_a_hole() -> None:
    reset = (
        'id: bbbbbbbbbbbb.9\ndata: {"version":"1.0","type":"STREAM_RESET","reason":"of a later version",'
        '"requested":"aaaaaaaaaaaa.2","earliest":"bbbbbbbbbbbb.0","latest":"bbbbbbbbbbbb.9"}'
    )
    async with Peer(stream(OPENING, reset)) as peer, Client(peer.url, patience=HASTY) as client:
        with pytest.raises(PlaceLost) as lost:
            await first(client, 1, after="aaaaaaaaaaaa.2")

    assert (lost.value.reason, lost.value.latest) == ("of a later version", "bbbbbbbbbbbb.9")


async def test_events_that_the_client_does_not_know_are_passed_on_as_they_came() -> None:
    unknown = '{"version":"1.0","type":"OF_LATER","eventId":"aaaaaaaaaaaa.2"}'
    newer = '{"version":"1.0","type":"TEXT_DELTA","eventId":"aaaaaaaaaaaa.3","text":{"now":"an object"}}'
    blocks = (f"id: aaaaaaaaaaaa.2\ndata: {unknown}", f"id: aaaaaaaaaaaa.3\ndata: {newer}")
    async with Peer(stream(OPENING, *blocks)) as peer, Client(peer.url, patience=HASTY) as client:
        received = await first(client, 2)

    assert received == [Received("aaaaaaaaaaaa.2", unknown, None), Received("aaaaaaaaaaaa.3", newer, None)]


async def test_custom_events_come_decoded_when_the_catalog_knows_them() -> None:
    class Progress(Event, frozen=True, kw_only=True):
        percent: int

    catalog = Catalog.standard()
    catalog.register(Progress)
    block = 'id: aaaaaaaaaaaa.2\ndata: {"version":"1.0","type":"PROGRESS","percent":7}'
    async with Peer(stream(OPENING, block)) as peer, Client(peer.url, catalog=catalog) as client:
        received = await first(client, 1)

    assert received[0].event == Progress(percent=7)


@pytest.mark.parametrize(
    "given",
    [
        answer("200 OK", b"<html>", "text/html"),
        answer("404 Not Found", b"<html>", "text/html"),
        answer("404 Not Found", b"{}", "application/problem+json"),
    ],
)
async def test_a_feed_of_something_else_is_told_from_branchline(given: bytes) -> None:
    async with Peer(given) as peer, Client(peer.url, patience=HASTY) as client:
        with pytest.raises(AnswerUnreadable, match="no words of Branchline's"):
            await first(client, 1)


async def test_an_answer_that_is_lost_is_told_from_a_server_that_is_not_there() -> None:
    async with Peer(b"") as peer, Client(peer.url, patience=Patience(sends=1)) as client:
        with pytest.raises(AnswerLost, match="whether it was done is not known"):
            await client.submit(AT, UserTextInput(text="hi"))

    async with Client(peer.url) as client:
        with pytest.raises(ServerUnreachable):
            await client.submit(AT, UserTextInput(text="hi"))


async def test_an_answer_that_was_lost_is_not_forgotten_when_the_server_then_goes_away() -> None:
    twice = Patience(sends=2, pause=timedelta(milliseconds=1))

    async with Peer(b"", AWAY) as peer, Client(peer.url, patience=twice) as client:
        with pytest.raises(AnswerLost):
            await client.submit(AT, UserTextInput(text="hi"))

    assert len(peer.requests) == 2


async def test_a_server_that_is_started_again_is_waited_for() -> None:
    patience = Patience(sends=20, pause=timedelta(milliseconds=50))

    async with Peer(AWAY) as leaving, Client(leaving.url, patience=patience) as client:
        port = int(leaving.url.rpartition(":")[2])
        sending = asyncio.create_task(client.submit(AT, UserTextInput(text="hi")))
        await seconds_until(lambda: _has_asked(leaving), within=5)
        await leaving.stop()
        async with Peer(answer("202 Accepted", ACCEPTED), port=port):
            accepted = await sending

    assert accepted.runtime_run_id == "run_1"


async def test_a_server_that_can_do_nothing_and_then_goes_away_was_not_reached() -> None:
    twice = Patience(sends=2, pause=timedelta(milliseconds=1))

    async with Peer(AWAY) as peer, Client(peer.url, patience=twice) as client:
        sending = asyncio.create_task(client.submit(AT, UserTextInput(text="hi")))
        await seconds_until(lambda: _has_asked(peer), within=5)
        await peer.stop()
        with pytest.raises((ServerUnreachable, AnswerLost)):
            await sending


async def _has_asked(peer: Peer) -> bool:
    return bool(peer.requests)


async def test_many_feeds_at_a_time_leave_room_for_requests(sqlite_server: ServerProcess) -> None:
    async with Client(sqlite_server.url) as client, AsyncExitStack() as feeds:
        sessions = [await client.ensure_session() for _ in range(110)]
        for session in sessions:
            events = await feeds.enter_async_context(aclosing(client.follow(BranchAddress(AgentId("demo"), session))))
            feeds.push_async_callback(_ended, asyncio.create_task(anext(events)))
        at = BranchAddress(AgentId("demo"), sessions[-1])
        async with asyncio.timeout(20):
            accepted = await client.submit(at, UserTextInput(text="hi"))

    assert accepted.status == "active"


async def _ended(task: asyncio.Task[Received]) -> None:
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:0", "ftp://127.0.0.1", "127.0.0.1:8000"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        Client(url)


def test_a_proxy_that_cannot_be_used_is_told_and_is_none_of_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks9://127.0.0.1:1080")

    with pytest.raises(ProxyRefused, match="socks9"):
        Client("http://branchline.example")
    Client("http://127.0.0.1:8000")


async def test_a_pause_that_nobody_can_mean_is_none() -> None:
    twice = Patience(sends=2, pause=timedelta(milliseconds=1))
    away = AWAY.replace(b"\r\n", b"\r\nRetry-After: " + b"9" * 5000 + b"\r\n", 1)

    async with Peer(away, answer("202 Accepted", ACCEPTED)) as peer, Client(peer.url, patience=twice) as client:
        accepted = await client.submit(AT, UserTextInput(text="hi"))

    assert accepted.runtime_run_id == "run_1"


async def test_a_run_is_followed_from_its_own_first_event_to_its_own_last() -> None:
    def lifecycle(seq: int, kind: str, run: str) -> str:
        members = {
            "BRANCH_RUN_STARTED": '"agentId":"demo","startedAt":"2026-01-01T00:00:00Z","messageId":"m1"',
            "BRANCH_RUN_COMPLETED": '"agentId":"demo","status":"completed","completedAt":"2026-01-01T00:00:00Z"',
        }
        event = f'{{"version":"1.0","type":"{kind}","runtimeRunId":"{run}",{members[kind]}}}'
        return f"id: aaaaaaaaaaaa.{seq}\ndata: {event}"

    blocks = (
        delta(2, "of the run before"),
        lifecycle(3, "BRANCH_RUN_COMPLETED", "run_0"),
        lifecycle(4, "BRANCH_RUN_STARTED", "run_1"),
        delta(5, "ours"),
        lifecycle(6, "BRANCH_RUN_COMPLETED", "run_1"),
        delta(7, "of the run after"),
    )
    accepted = Accepted(runtime_run_id="run_1", message_id="m1", status="queued", position="aaaaaaaaaaaa.1")
    async with Peer(stream(OPENING, *blocks)) as peer, Client(peer.url) as client:
        received = [each async for each in client.follow_run(AT, accepted)]

    assert [each.position for each in received] == ["aaaaaaaaaaaa.4", "aaaaaaaaaaaa.5", "aaaaaaaaaaaa.6"]
    assert peer.places() == ["aaaaaaaaaaaa.1"]


async def test_what_exists_is_no_error_and_what_is_refused_has_a_code(sqlite_server: ServerProcess) -> None:
    side = BranchAddress(AgentId("demo"), SessionId("s1"), BranchId("side"))
    async with Client(sqlite_server.url) as client:
        for _ in range(2):
            assert await client.ensure_session(SessionId("s1")) == "s1"
            await client.ensure_branch(side)
            await client.ensure_branch(AT)

        with pytest.raises(Problem) as refused:
            await client.submit(BranchAddress(AgentId("nobody"), SessionId("s1")), UserTextInput(text="hi"))

    assert (refused.value.status, refused.value.code) == (404, "agent-not-found")
    assert refused.value.detail == "There is no agent 'nobody' on this server."
