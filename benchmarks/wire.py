"""HTTP/1.1 over plain sockets: a client library would be slower than what it measures."""

import json
import socket
import urllib.request
from collections.abc import Collection
from typing import NamedTuple

from events.position import Position

_TIMEOUT_SECONDS = 60
_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="


class Answer(NamedTuple):
    """A whole response."""

    status: int
    body: bytes


class Opened(NamedTuple):
    """A live feed whose opening has been read: the place it starts from, and bytes that came with it."""

    socket: socket.socket
    place: Position
    rest: bytes


def connect(port: int) -> socket.socket:
    """Connect to a server of ours."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def post_bytes(path: str, body: object) -> bytes:
    """Return a POST of JSON as it is sent."""
    return _request_bytes("POST", path, body)


def post(port: int, path: str, body: object) -> Answer:
    """Post JSON on a connection of its own.

    Raises:
        RuntimeError: the answer is no success.
    """
    return request(port, "POST", path, body, allowed=range(200, 300))


def request(port: int, method: str, path: str, body: object = None, *, allowed: Collection[int]) -> Answer:
    """Send a request on a connection of its own.

    Raises:
        RuntimeError: the answer's status is none of those.
    """
    with connect(port) as wire:
        wire.sendall(_request_bytes(method, path, body))
        answer = read_answer(wire)
    if answer.status not in allowed:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.body!r}")
    return answer


def get(port: int, path: str) -> bytes:
    """Return the body of what is there."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=_TIMEOUT_SECONDS) as answer:
        return bytes(answer.read())


def read_answer(wire: socket.socket) -> Answer:
    """Read a response that tells its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(wire)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
    while len(body) < length:
        body += _receive(wire)
    return Answer(int(lines[0].split()[1]), body)


def open_feed(port: int, path: str) -> Opened:
    """Open a live feed and read as far as its opening goes.

    Raises:
        RuntimeError: the answer is no stream.
    """
    wire = connect(port)
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
    received = b""
    while b"\n\n\r\n" not in received and b"\r\n\r\n\r\n" not in received:
        received += _receive(wire)
        if not received.startswith(b"HTTP/1.1 200"[: len(received)]):
            raise RuntimeError(f"GET {path}: {received[:200]!r}")
    place, _, rest = received.partition(b"id: ")[2].partition(b"\n")
    position = Position.parse(place.decode().strip())
    assert position is not None
    return Opened(wire, position, rest)


def open_socket(port: int, path: str) -> socket.socket:
    """Open a WebSocket and read the answer to its handshake.

    Raises:
        RuntimeError: the server does not switch.
    """
    wire = connect(port)
    head = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    wire.sendall("\r\n".join([*head, f"Sec-WebSocket-Key: {_KEY}", "Sec-WebSocket-Version: 13", "", ""]).encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(wire)
    if not received.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(f"GET {path}: {received[:200]!r}")
    return wire


def _request_bytes(method: str, path: str, body: object) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*head, "", ""]).encode() + content


def _receive(wire: socket.socket) -> bytes:
    received = wire.recv(1 << 16)
    if not received:
        raise ConnectionError("The server closed the connection.")
    return received
