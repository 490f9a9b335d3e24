"""D8: what is too large is refused before it has come, and costs little."""

import asyncio
import contextlib
import struct
from collections.abc import Iterable

import psutil

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.sockets.raw import CONTINUATION, TEXT, RawSocket, frame

MIB = 1 << 20


def _announced(size: int) -> bytes:
    """Return the head of a text frame of this size, which never comes whole."""
    return bytes([0x81, 0x80 | 127]) + struct.pack("!Q", size) + bytes(4)


PIECE = frame(CONTINUATION, b"a" * 65_536, last=False)
TOO_LARGE = {
    "40 MiB in pieces": (frame(TEXT, b"a", last=False), PIECE, 640),
    "a frame of 40 MiB": (_announced(40 * MIB), b"a" * MIB, 40),
    "a frame of 8 EiB": (_announced((1 << 63) - 1), b"a" * MIB, 8),
}


async def test_messages_of_forty_mebibytes_are_1009_and_are_not_kept(sqlite_server: ServerProcess) -> None:
    process = psutil.Process(sqlite_server.pid)
    async with Client(sqlite_server.url) as client:
        session = await client.session()
        before = process.memory_info().rss
        codes = {
            name: await _code(sqlite_server, f"{client.path(session)}/ws", first, [more] * times)
            for name, (first, more, times) in TOO_LARGE.items()
        }
        grown = process.memory_info().rss - before
        still = (await client.http.get("/healthz")).status_code

    assert codes == dict.fromkeys(TOO_LARGE, 1009)
    assert grown < 12 * MIB
    assert still == 200


async def _code(server: ServerProcess, path: str, first: bytes, rest: Iterable[bytes]) -> int:
    async def write() -> None:
        with contextlib.suppress(ConnectionError):
            for piece in (first, *rest):
                await raw.write(piece)

    async with RawSocket(server.url, path) as raw:
        writing = asyncio.create_task(write())
        code, _ = await raw.closing()
        # It takes no more, and would be waited for.
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
    return code
