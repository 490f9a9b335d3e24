"""Messages that were well-formed once: bytes of good ones, changed by chance."""

import random
from collections.abc import Sequence
from typing import Final

from tests.sockets.raw import CLOSE, CONTINUATION, PING, PONG, TEXT, frame

_PIECES: Final = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b" ",
    b"\t",
    b":",
    b"\xff",
    b"\xc0\xaf",
    b"%00",
    b"%ff",
    b"#",
    b"?",
    b"//",
    b"HTTP/1.1",
    b"HTTP/9.9",
    b"Host: b\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: close\r\n",
    b"Last-Event-ID: 9\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Origin: null\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b'{"type":',
    b"[[[[[[[[",
    b"\\ud800",
    b"1e999",
    b"\x81\xfe\xff\xff",
    b"\x88\x80\x00\x00\x00\x00",
    bytes(16),
)


def http_messages(session: str) -> tuple[bytes, ...]:
    """Return requests, all of which are answered at once."""
    branch = f"/agents/demo/sessions/{session}/branches/main".encode()
    head = b"%b %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: mutator\r\n%b\r\n"
    json = b"Content-Type: application/json\r\n"
    body = b'{"sessionId":"x","metadata":{"a":[1,2.5,null,true,"\\u00e9"]}}'
    said = b'{"type":"USER_TEXT_INPUT","text":"Hi","runningRunBehavior":"reject"}'
    chunked = json + b"Transfer-Encoding: chunked\r\n"
    sized = json + b"Content-Length: %d\r\n"
    handshake = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    return (
        head % (b"GET", b"/healthz", b""),
        head % (b"GET", b"/sessions?limit=2&offset=0", b"If-None-Match: a\r\nCookie: a=b; c=d\r\n"),
        head % (b"GET", b"/sessions/%b" % session.encode(), b""),
        head % (b"GET", branch + b"/events?limit=3&after=x", b""),
        head % (b"HEAD", branch + b"/events", b""),
        head % (b"OPTIONS", b"/sessions", b"Origin: http://127.0.0.1\r\nAccess-Control-Request-Method: POST\r\n"),
        head % (b"POST", b"/sessions", sized % len(body)) + body,
        head % (b"POST", b"/sessions", chunked) + b"%x\r\n%b\r\n0\r\nX-Trailer: y\r\n\r\n" % (len(body), body),
        head % (b"POST", branch + b"/inputs", sized % len(said)) + said,
        head % (b"POST", branch + b"/responses", sized % 2) + b"{}",
        head % (b"GET", b"/healthz", b"") * 3 + head % (b"POST", b"/sessions", sized % 2) + b"{}",
        head % (b"GET", branch + b"/ws", handshake + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
    )


def socket_messages() -> tuple[bytes, ...]:
    """Return what a client may say on a branch's WebSocket."""
    said = '{"type":"USER_TEXT_INPUT","text":"Grüße 👋","runningRunBehavior":"queue"}'.encode()
    answer = b'{"type":"CLARIFICATION_RESPONSE","requestId":"nobody","answer":"red"}'
    return (
        frame(TEXT, said),
        frame(TEXT, answer),
        frame(TEXT, b'{"type":"INTERRUPTION_REQUEST","reason":"why not"}'),
        frame(TEXT, said[:20], last=False) + frame(PING, b"a") + frame(CONTINUATION, said[20:]),
        frame(PING, b"are you there") + frame(PONG, b"") + frame(TEXT, answer),
        frame(TEXT, answer) + frame(CLOSE, (1000).to_bytes(2, "big") + b"bye"),
        frame(2, bytes(range(200))),
    )


class Mutator:
    """Changes messages; the same seed makes the same changes."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def mutated(self, messages: Sequence[bytes]) -> bytes:
        """Return one of the messages, changed in one to eight places."""
        message = bytearray(self._chance.choice(messages))
        for _ in range(self._chance.randint(1, 8)):
            self._change(message, self._chance.randrange(len(message) + 1))
        return bytes(message)

    def _change(self, message: bytearray, at: int) -> None:
        length = self._chance.choice((1, 1, 2, 8, 64))
        match self._chance.randrange(7):
            case 0:
                message[at : at + 1] = bytes([self._chance.randrange(256)])
            case 1:
                message[at : at + length] = b""
            case 2:
                message[at:at] = self._chance.choice(_PIECES)
            case 3:
                message[at:at] = message[at : at + length] * self._chance.choice((1, 2, 50))
            case 4:
                message[at : at + length] = self._chance.randbytes(length)
            case 5:
                message[at : at + 1] = bytes([byte ^ 1 << self._chance.randrange(8) for byte in message[at : at + 1]])
            case _:
                message[at : at + length] = self._chance.choice(_PIECES)
