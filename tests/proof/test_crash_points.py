"""A2: wherever among its writes and syncs a server dies, what it acknowledged is stored and its runs go on."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds, seed
from tests.proof.script import Script, reckon
from tests.proof.strace import Strace, needs_strace

Make = Callable[..., ServerProcess]


@needs_strace
@pytest.mark.campaign
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64", "write"])
async def test_a2_a_server_is_killed_at_each_of_its_writes_and_syncs(
    make_server: Make, sqlite_url: str, call: str
) -> None:
    tally, count = Tally("a2"), rounds(200)
    # There are seven writes of a page to a sync: those are sampled.
    chance = random.Random(seed())
    points = sorted(chance.sample(range(1, 1400), count)) if call == "pwrite64" else range(1, count + 1)
    server = make_server(sqlite_url, lease_seconds=1.5, sweep_seconds=0.1).start()

    for point in points:
        script = Script(f"{call}-{point}", server.folder / f"ledger-{point}")
        with Strace(server, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={point}"):
            await script.play(server.url)
        assert not script.is_done, f"the script has no {call} number {point}"
        await asyncio.to_thread(server.wait)
        await asyncio.to_thread(server.start)
        faults = await reckon(server.url, script.path, script.session, seconds=5)
        tally.add(*(f"{call} {point}: {fault}" for fault in faults), *_integrity(sqlite_url))

    tally.close(f"killed at {call} {points[0]} to {points[-1]} of one scripted session, seed {seed()}")


@needs_strace
@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a2_what_is_acknowledged_was_synced_before(make_server: Make, sqlite_url: str) -> None:
    """No process can make the machine lose its power; that all was on the disk by then is seen in what it called."""
    tally, count = Tally("a2"), rounds(200)
    server = make_server(sqlite_url, fold_seconds=3600).start()
    async with Client(server.url) as client:
        with Strace(server, "-y", "-e", "trace=pwrite64,fdatasync,write,writev,sendto,sendmsg") as strace:
            for _ in range(count // 2):
                await client.branch(await client.session(), "b")

    for is_synced in _synced_before_each_ack(strace.lines()):
        tally.add(*([] if is_synced else ["an acknowledgement before the sync"]))
    tally.close("acknowledgements, each behind a sync of all that was written")
    assert count == tally.total


def _synced_before_each_ack(calls: list[str]) -> Iterator[bool]:
    """Say of each 201 whether the log was written to since the last one, and synced after the last such write."""
    is_written = is_synced = False
    for call in calls:
        if "pwrite64(" in call and "-wal>" in call:
            is_written, is_synced = True, False
        elif "fdatasync" in call and call.endswith("= 0"):
            is_synced = True
        elif "HTTP/1.1 201" in call:
            yield is_written and is_synced
            is_written = False


def _integrity(url: str) -> list[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    return [] if found == "ok" else [f"integrity_check: {found}"]
