"""Connections are bounded in all; a process that has no file left for one more listens on."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import psutil

from tests.edge.deadline import seconds_until
from tests.edge.wire import Wire
from tests.harness.process import ColdServerProcess, ServerProcess
from tests.overload.tenant import code, tenant

Make = Callable[..., ServerProcess]

RECOVERS_WITHIN_SECONDS = 5
FLOOD = 300
SPARE = 20
FILES = 200


class _Poor(ColdServerProcess):
    """A server that may have few files, and cannot allow itself more."""

    def _begin(self, environment: dict[str, str], files: tuple[int, int, int]) -> subprocess.Popen[bytes]:
        command = ["sh", "-c", f'ulimit -n {FILES}; exec "$0" -m hosting serve', sys.executable]
        nothing, output, log = files
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdin=nothing, stdout=output, stderr=log)


async def test_all_together_have_so_many_connections_until_some_have_gone(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, connections=8).start()

    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire(server.url)) for _ in range(8)]
        served = {(await wire.request("GET", "/healthz")).status for wire in wires}
        async with Wire(server.url) as ninth:
            refused = await ninth.answer()
            ended = await ninth.ends()
    freed = await seconds_until(lambda: _is_served(server.url), within=RECOVERS_WITHIN_SECONDS)

    assert served == {200}
    assert (refused.status, code(refused)) == (503, "overloaded")
    assert ended
    assert freed < RECOVERS_WITHIN_SECONDS


async def test_a_process_with_few_files_refuses_what_it_could_not_keep(tmp_path: Path, sqlite_url: str) -> None:
    with _Poor(tmp_path, sqlite_url) as server:
        user = await tenant(server, "first")
        session = await user.session()

        async with AsyncExitStack() as stack:
            wires = [await stack.enter_async_context(Wire(server.url)) for _ in range(FLOOD)]
            statuses = await asyncio.gather(*map(_status, wires))
            files = psutil.Process(server.pid).num_fds()
        freed = await seconds_until(lambda: _is_served(server.url), within=RECOVERS_WITHIN_SECONDS)
        accepted = await user.send(session, "it writes and reads as before")

    assert statuses.count(200) == FILES * 3 // 4
    assert statuses.count(503) == FLOOD - FILES * 3 // 4
    assert files < FILES
    assert freed < RECOVERS_WITHIN_SECONDS
    assert accepted.status == 202


async def test_a_process_whose_files_are_used_up_listens_on(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url).start()
    user = await tenant(server, "first")
    session = await user.session()
    process = psutil.Process(server.pid)

    async with AsyncExitStack() as stack:
        kept = await stack.enter_async_context(Wire(server.url))
        before = (await kept.request("GET", "/healthz")).status
        most = process.num_fds() + SPARE
        # As if the rest were used by what counts no connection.
        process.rlimit(psutil.RLIMIT_NOFILE, (most, most))
        wires = [await stack.enter_async_context(Wire(server.url)) for _ in range(FLOOD)]
        statuses = await asyncio.gather(*map(_status, wires))
        meanwhile = (await kept.request("GET", "/healthz")).status
        began = process.cpu_times().user
        await asyncio.sleep(1)
        busy = process.cpu_times().user - began
    freed = await seconds_until(lambda: _is_served(server.url), within=RECOVERS_WITHIN_SECONDS)
    accepted = await user.send(session, "it writes and reads as before")

    assert (before, meanwhile) == (200, 200)
    assert 0 < statuses.count(200) <= SPARE
    assert freed < RECOVERS_WITHIN_SECONDS
    # Nor does it try again and again, without a pause, to accept what it cannot.
    assert busy < 0.5
    assert accepted.status == 202


async def _status(wire: Wire) -> int:
    """Ask for a sign of life; 0 when the server takes none."""
    with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(3):
            return (await wire.request("GET", "/healthz")).status
    return 0


async def _is_served(url: str) -> bool:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        async with Wire(url) as wire:
            return (await wire.request("GET", "/healthz")).status == 200
    return False
