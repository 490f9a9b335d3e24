"""Peers that vanish without a word: a server and its clients in a network of their own, whose packets are lost.

Run as root in a network namespace: `unshare --net python -m tests.following.half_open FOLDER [NAME=VALUE]...`.
Prints how many seconds the server took to free what the clients had of it, and how many files it has more than before.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil

from hosting.domain.identity import Role
from tests.following.stuck import until
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.identity.office import Office

FAR_AWAY = "10.99.0.1"
STREAMS = 10
SOCKETS = 10
WITHIN_SECONDS = 60


async def _lose(server: ServerProcess) -> tuple[float, int]:
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        path = client.path(session)
        await _idle_connections(process, 2)
        before = _sockets(process)
        # Who comes from far away shows a key.
        key = await Office(server, server.folder / "test.db.keys").key("local", Role.USER)
        writers = [await _ask(server.url, f"{path}/events/live", key) for _ in range(STREAMS)]
        position = await client.position(session)
        writers += [await _ask(server.url, f"{path}/ws?after={position}", key, upgrade=True) for _ in range(SOCKETS)]
        # Sockets, not files: what the server opens in its database to look at the key stays open.
        free = _sockets(process) - STREAMS - SOCKETS
        assert free >= before
        _ip("address", "delete", f"{FAR_AWAY}/32", "dev", "lo")
        _ip("route", "add", "blackhole", f"{FAR_AWAY}/32")
        begun = time.monotonic()
        await until(lambda: _sockets(process) <= free + 2, seconds=WITHIN_SECONDS)
        return time.monotonic() - begun, _sockets(process) - free


def _sockets(process: psutil.Process) -> int:
    return len(process.net_connections(kind="tcp"))


async def _idle_connections(process: psutil.Process, most: int) -> None:
    await until(lambda: len(process.net_connections(kind="tcp")) <= most)


async def _ask(base: str, path: str, key: str, *, upgrade: bool = False) -> asyncio.StreamWriter:
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(FAR_AWAY, 0))
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {key}"]
    if upgrade:
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await reader.readuntil(b"\r\n\r\n")
    return writer


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def main() -> None:
    """Play it."""
    folder, settings = Path(sys.argv[1]), dict(argument.split("=") for argument in sys.argv[2:])
    _ip("link", "set", "lo", "up")
    _ip("address", "add", f"{FAR_AWAY}/32", "dev", "lo")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", **settings) as server:
        seconds, more = asyncio.run(_lose(server))
    print(f"{seconds:.1f} {more}")


if __name__ == "__main__":
    main()
