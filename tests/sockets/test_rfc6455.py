"""WebSockets by RFC 6455 on the server as shipped: a short table of what the Autobahn suite asks (test_autobahn.py)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.sockets.echo import PATH, echoing
from tests.sockets.raw import CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame

BINARY = 2
GREETING = "Grüße 👋".encode()
LAST = frame(CLOSE, (1000).to_bytes(2, "big"))

ECHOED: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "text": (frame(TEXT, GREETING), [(TEXT, GREETING)]),
    "an empty text": (frame(TEXT), [(TEXT, b"")]),
    "bytes": (frame(BINARY, bytes(range(256))), [(BINARY, bytes(range(256)))]),
    "125 bytes": (frame(BINARY, b"a" * 125), [(BINARY, b"a" * 125)]),
    "126 bytes": (frame(BINARY, b"a" * 126), [(BINARY, b"a" * 126)]),
    "65 535 bytes": (frame(BINARY, b"a" * 65_535), [(BINARY, b"a" * 65_535)]),
    "65 536 bytes": (frame(BINARY, b"a" * 65_536), [(BINARY, b"a" * 65_536)]),
    "a ping": (frame(PING, b"are you there"), [(PONG, b"are you there")]),
    "an empty ping": (frame(PING), [(PONG, b"")]),
    "a ping of 125 bytes": (frame(PING, b"\xff" * 125), [(PONG, b"\xff" * 125)]),
    "a pong that nobody asked for": (frame(PONG, b"here") + frame(TEXT, b"a"), [(TEXT, b"a")]),
    "two pings": (frame(PING, b"1") + frame(PING, b"2"), [(PONG, b"1"), (PONG, b"2")]),
    "a text in pieces": (
        frame(TEXT, b"a", last=False) + frame(CONTINUATION, b"b", last=False) + frame(CONTINUATION, b"c"),
        [(TEXT, b"abc")],
    ),
    "a text in pieces of which none has anything": (
        frame(TEXT, last=False) + frame(CONTINUATION, last=False) + frame(CONTINUATION),
        [(TEXT, b"")],
    ),
    "a ping between two pieces": (
        frame(TEXT, b"a", last=False) + frame(PING, b"still there") + frame(CONTINUATION, b"b"),
        [(PONG, b"still there"), (TEXT, b"ab")],
    ),
    "a character in four pieces": (
        b"".join(frame(CONTINUATION if at else TEXT, GREETING[-4:][at : at + 1], last=at == 3) for at in range(4)),
        [(TEXT, GREETING[-4:])],
    ),
}

CLOSED: dict[str, tuple[bytes, int]] = {
    **{f"opcode {opcode}": (frame(opcode, b"a"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"reserved bits {bits:03b}": (bytes([0x81 | bits << 4]) + frame(TEXT, b"a")[1:], 1002) for bits in range(1, 8)},
    "a ping of 126 bytes": (frame(PING, b"a" * 126), 1002),
    "a ping in pieces": (frame(PING, b"a", last=False), 1002),
    "a close in pieces": (frame(CLOSE, b"", last=False), 1002),
    "a piece of nothing": (frame(CONTINUATION, b"a"), 1002),
    "a text within a text": (frame(TEXT, b"a", last=False) + frame(TEXT, b"b"), 1002),
    "no mask": (frame(TEXT, b"a", masked=False), 1002),
    "bad UTF-8": (frame(TEXT, b"a\xff"), 1007),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "half a character at the end": (frame(TEXT, GREETING[:-1]), 1007),
    "bad UTF-8 in a piece": (frame(TEXT, b"a", last=False) + frame(CONTINUATION, b"\xff", last=False), 1007),
    "a code in half": (frame(CLOSE, b"\x03"), 1002),
    "a reason that is no text": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "a reason of 124 bytes": (frame(CLOSE, b"\x03\xe8" + b"a" * 124), 1002),
    **{
        f"the code {code}": (frame(CLOSE, code.to_bytes(2, "big")), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    },
    **{
        f"the good code {code}": (frame(CLOSE, code.to_bytes(2, "big")), code)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    },
}


@pytest.fixture
async def base(sqlite_url: str) -> AsyncIterator[str]:
    async with echoing(sqlite_url) as base:
        yield base


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
async def test_what_is_allowed_is_understood(base: str, at_once: bool) -> None:
    wrong = []
    for name, (sent, expected) in ECHOED.items():
        async with RawSocket(base, PATH) as raw:
            step = len(sent) if at_once or len(sent) > 1000 else 1
            for at in range(0, len(sent), step):
                await raw.write(sent[at : at + step])
                await asyncio.sleep(0)
            got = [await raw.read(seconds=5) for _ in expected]
            await raw.write(LAST)
            code, _ = await raw.closing(seconds=5)
        if (got, code) != (expected, 1000):
            wrong.append(f"{name}: {got!r:.200}, closed with {code}")

    assert wrong == []


async def test_what_is_not_allowed_ends_the_connection_with_the_code_that_says_why(base: str) -> None:
    wrong = []
    for name, (sent, expected) in CLOSED.items():
        async with RawSocket(base, PATH) as raw:
            # What stands behind must not be looked at any more.
            await raw.write(sent + frame(PING, b"late"))
            got = await raw.read_all(seconds=5)
        code = int.from_bytes(got[2:4], "big") if got[:1] == frame(CLOSE)[:1] else got
        if code != expected:
            wrong.append(f"{name}: {code!r} instead of {expected}")

    assert wrong == []


async def test_a_close_without_a_code_is_answered_with_one_without(base: str) -> None:
    async with RawSocket(base, PATH) as raw:
        await raw.write(frame(CLOSE))
        answer = await raw.read(seconds=5)
        await raw.cut_off(seconds=5)

    assert answer == (CLOSE, b"")


async def test_a_handshake_that_is_not_answered_before_the_server_stops_is_503(sqlite_url: str) -> None:
    async with echoing(sqlite_url, grace_seconds=0.1) as base:
        raw = RawSocket(base, "/silent")
        opening = asyncio.create_task(raw.__aenter__())
        await asyncio.wait([opening], timeout=0.2)
        assert not opening.done()
    await opening
    body = await raw.read_all(seconds=5)
    await raw.__aexit__()

    assert raw.answer.startswith("HTTP/1.1 503 ")
    assert "application/problem+json" in raw.answer
    assert b'"code":"not-ready"' in body
