"""Where a request ends is beyond doubt, or it is refused and its connection closed."""

import asyncio
import contextlib

import httpx
import pytest

from hosting.settings import Settings
from tests.edge.deadline import seconds_until
from tests.edge.framing import CHUNKED, GET, POST, REFUSED
from tests.edge.problem import problem
from tests.edge.wire import Answer, Wire
from tests.following.inside import serving
from tests.harness.client import Client
from tests.sockets.raw import PING, frame

UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
HANDSHAKE = (
    b"GET %b/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_what_two_servers_may_read_differently_is_refused_and_the_connection_closed(plain_edge: Client) -> None:
    wrong = []
    for name, sent in REFUSED.items():
        async with Wire(plain_edge.base) as wire:
            sending = asyncio.create_task(_send(wire, sent))
            answer = await wire.answer()
            ended = await wire.ends()
            await sending
        document = _document(answer)
        if (document["status"], document["code"]) != (400, "invalid-request"):
            wrong.append(f"{name}: {document}")
        if answer.headers["connection"] != "close" or not ended:
            wrong.append(f"{name} is not the end")

    assert wrong == []
    assert len(REFUSED) > 60


async def test_a_refused_request_is_named_as_far_as_it_was_read(plain_edge: Client) -> None:
    async with Wire(plain_edge.base) as wire:
        await wire.write(b"GET /sessions/a%20b?c=d HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")
        twice = await wire.answer()
    async with Wire(plain_edge.base) as wire:
        await wire.write(b"\x00\r\n\r\n")
        nothing = await wire.answer()

    assert (twice.json["instance"], nothing.json["instance"]) == ("/sessions/a%20b", "/")
    assert twice.json["detail"] == "The header Host is there twice."


async def test_requests_that_do_not_wait_are_answered_one_after_another(plain_edge: Client) -> None:
    paths = ("/healthz", "/nowhere", "/sessions?limit=1", "/healthz")

    async with Wire(plain_edge.base) as wire:
        await wire.write(b"".join(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode() for path in paths))
        answers = [await wire.answer() for _ in paths]

    assert [answer.status for answer in answers] == [200, 404, 200, 200]
    assert answers[1].json["instance"] == "/nowhere"


async def test_requests_before_a_wrong_one_are_answered_first(plain_edge: Client) -> None:
    async with Wire(plain_edge.base) as wire:
        await wire.write(GET % b"" + POST % b"Content-Length: 2\r\n" + b"{}" + b"WRONG\r\n\r\n" + GET % b"")
        answers = [await wire.answer() for _ in range(3)]
        ended = await wire.ends()

    assert [answer.status for answer in answers] == [200, 201, 400]
    assert ended


async def test_a_wrong_body_behind_other_requests_waits_for_its_turn(plain_edge: Client) -> None:
    async with Wire(plain_edge.base) as wire:
        await wire.write(GET % b"" + GET % b"" + CHUNKED + b"zz\r\n")
        answers = [await wire.answer() for _ in range(3)]
        ended = await wire.ends()

    assert [answer.status for answer in answers] == [200, 200, 400]
    assert ended


async def test_garbage_behind_a_live_feed_does_not_disturb_it(plain_edge: Client) -> None:
    session = await plain_edge.session()
    path = f"{plain_edge.path(session)}/events/live"

    async with Wire(plain_edge.base) as wire:
        await wire.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        await wire.write(b"WRONG\r\n\r\n")
        seen = await wire.read_until(b"retry:")
        await plain_edge.accepted(session, "Hi")
        seen += await wire.read_until(b"BRANCH_RUN_COMPLETED")

    assert b"HTTP/1.1 200" in seen
    assert b"HTTP/1.1 400" not in seen


async def test_more_than_a_hundred_requests_that_do_not_wait_are_too_many(plain_edge: Client) -> None:
    async with Wire(plain_edge.base) as wire:
        await wire.write((GET % b"") * 2000)
        statuses = [(await wire.answer()).status for _ in range(102)]
        ended = await wire.ends()

    assert statuses == [200] * 101 + [429]
    assert ended


async def test_headers_behind_a_body_do_not_become_the_requests(plain_edge: Client) -> None:
    async with Wire(plain_edge.base) as wire:
        await wire.write(CHUNKED + b"2\r\n{}\r\n0\r\nOrigin: https://evil.example\r\nHost: b\r\n\r\n")
        answer = await wire.answer()

    assert answer.status == 201


@pytest.mark.parametrize(
    "framing", ["Content-Length: %d\r\n\r\n%b", "Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"]
)
async def test_a_request_that_offers_another_protocol_is_read_like_all_others(plain_edge: Client, framing: str) -> None:
    session = await plain_edge.session()
    hidden = GET % b""
    body = b'{"metadata":{"a":"%b"}}' % hidden.replace(b"\r\n", b"\\r\\n")
    head = b"POST /sessions HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE

    async with Wire(plain_edge.base) as wire:
        await wire.write(head + framing.encode() % (len(body), body) + GET % UPGRADE + GET % b"")
        created, healthy, last = [await wire.answer() for _ in range(3)]

    assert (created.status, healthy.status, last.status) == (201, 200, 200)
    assert created.json["metadata"] == {"a": hidden.decode()}
    assert created.json["id"] != session


async def test_a_handshake_does_not_overtake_an_answer(plain_edge: Client) -> None:
    session = await plain_edge.session()

    async with Wire(plain_edge.base) as wire:
        await wire.write(GET % b"" + HANDSHAKE % plain_edge.path(session).encode())
        first, second = await wire.answer(), await wire.answer()

    assert (first.status, second.status) == (200, 400)


async def test_a_frame_that_comes_with_its_handshake_is_read(plain_edge: Client) -> None:
    session = await plain_edge.session()

    async with Wire(plain_edge.base) as wire:
        await wire.write(HANDSHAKE % plain_edge.path(session).encode() + frame(PING, b"early"))
        seen = await wire.read_until(b"early")

    assert seen.startswith(b"HTTP/1.1 101 ")


async def test_who_answers_a_client_that_has_gone_is_told_even_if_others_wait_behind(sqlite_url: str) -> None:
    async with serving(Settings(database_url=sqlite_url)) as (base, _), Client(base) as client:
        session = await client.session()
        async with Wire(base) as wire:
            live = f"GET {client.path(session)}/events/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await wire.write(live.encode() + GET % b"")
            await wire.read_until(b"retry:")
            answering = _answering()

        await seconds_until(_nobody_answers, within=5)

    assert answering == 1


def _answering() -> int:
    return sum("run_asgi" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def _nobody_answers() -> bool:
    return _answering() == 0


async def _send(wire: Wire, data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        await wire.write(data)


def _document(answer: Answer) -> dict[str, object]:
    return problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body))
