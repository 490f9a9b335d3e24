"""P6: how many sessions are stored is nothing that a server's start or its memory depends on."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.adapters.sql.ranges import range_row
from hosting.adapters.sql.tables import branches, events, messages, runs, sessions
from hosting.domain.scope import LOCAL_TENANT, BranchKey
from tests.harness.client import Client
from tests.harness.process import ColdServerProcess
from tests.harness.quiet import need_a_quiet_machine

_AT_ONCE = 2_000
_MEBIBYTE = 1 << 20
_LONGEST_START_SECONDS = 2.0
_MOST_MORE_MEBIBYTES = 8.0
_MOST_MORE_SECONDS = 1.0
MICROSECONDS = 1_700_000_000_000_000


@dataclass(frozen=True)
class Started:
    """How a server came up."""

    seconds: float
    processor_seconds: float
    mebibytes: float


async def store_sessions(url: str, first: int, count: int) -> None:
    """Store sessions with a branch, an ended run, two messages and a row of events each."""
    engine = create_async_engine(url)
    for start in range(first, first + count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, first + count))
        async with engine.begin() as connection:
            for table, rows in {
                sessions: map(_session, numbers),
                branches: map(_branch, numbers),
                runs: map(_run, numbers),
                messages: (_message(number, role) for number in numbers for role in ("user", "assistant")),
                events: map(_events, numbers),
            }.items():
                await connection.execute(insert(table), list(rows))
    await engine.dispose()


def _session(number: int) -> dict[str, object]:
    at = MICROSECONDS + number
    return {"tenant": LOCAL_TENANT, "id": f"s{number}", "created_at": at, "last_activity": at, "metadata": b"{}"}


def _branch(number: int) -> dict[str, object]:
    at = MICROSECONDS + number
    return {
        "key": number + 1,
        "tenant": LOCAL_TENANT,
        "session_id": f"s{number}",
        "id": "main",
        "epoch": f"{number:012x}",
        "next_seq": 3,
        "fence": 2,
        "created_at": at,
        "last_activity": at,
        "message_count": 2,
    }


def _run(number: int) -> dict[str, object]:
    return {
        "id": f"run_{number}",
        "tenant": LOCAL_TENANT,
        "branch_key": number + 1,
        "agent_id": "demo",
        "message_id": f"user_{number}",
        "status": "completed",
        "attempts": 1,
        "started_at": MICROSECONDS,
        "completed_at": MICROSECONDS,
        "input": b"[]",
        "config": b"{}",
    }


def _message(number: int, role: str) -> dict[str, object]:
    return {
        "tenant": LOCAL_TENANT,
        "branch_key": number + 1,
        "id": f"{role}_{number}",
        "run_id": f"run_{number}",
        "role": role,
        "state": "complete",
        "contents": b'[{"$type":"text","text":"Hello, and welcome."}]',
    }


def _events(number: int) -> dict[str, object]:
    lines = [
        b'{"version":"1.0","type":"CUSTOM","eventId":"%012x.%d","sequenceNumber":%d}' % (number, seq, seq)
        for seq in (1, 2)
    ]
    return range_row(LOCAL_TENANT, BranchKey(number + 1), None, 1, lines)


async def _serve_a_little(url: str) -> None:
    async with Client(url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "Hello.")
        await client.ended(session, accepted["runtimeRunId"])
        listed = await client.http.get("/sessions", params={"limit": "50"})
        assert listed.status_code == 200


async def _start(folder: Path, url: str) -> Started:
    """Start a server, let it do something, and measure it."""
    begun = time.perf_counter()
    with ColdServerProcess(folder, url) as server:
        seconds, processor_seconds = time.perf_counter() - begun, server.cpu_seconds()
        await _serve_a_little(server.url)
        memory = psutil.Process(server.pid).memory_info().rss / _MEBIBYTE
        server.terminate()
    return Started(seconds, processor_seconds, memory)


async def _compare(folder: Path, url: str, *, few: int, many: int) -> tuple[Started, Started]:
    await store_sessions(url, 0, few)
    of_few = await _start(folder, url)
    await store_sessions(url, few, many - few)
    of_many = await _start(folder, url)
    for count, start in ((few, of_few), (many, of_many)):
        print(
            f"P6 {url.partition('+')[0]}: {count:,} sessions: started after {start.seconds:.2f} s, "
            f"{start.processor_seconds:.2f} s of the processor; {start.mebibytes:.1f} MiB"
        )
    return of_few, of_many


@pytest.mark.timeout(120)
async def test_a_start_on_many_sessions_takes_no_more_memory_than_on_few(tmp_path: Path, sqlite_url: str) -> None:
    few, many = await _compare(tmp_path, sqlite_url, few=100, many=5_000)

    assert many.mebibytes - few.mebibytes < _MOST_MORE_MEBIBYTES
    assert many.processor_seconds - few.processor_seconds < _MOST_MORE_SECONDS


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_p6_100_000_sessions_start_within_two_seconds(tmp_path: Path, database_url: str) -> None:
    need_a_quiet_machine()
    count = int(os.environ.get("ROUNDS", "100000"))

    few, many = await _compare(tmp_path, database_url, few=1_000, many=count)

    assert many.seconds <= _LONGEST_START_SECONDS
    assert many.processor_seconds - few.processor_seconds < _MOST_MORE_SECONDS
    assert many.mebibytes - few.mebibytes < _MOST_MORE_MEBIBYTES
    print("p6 1 ok / 1 total")
