"""PostgreSQL goes away, for one server or for all: refused in good time, and nothing lost or doubled afterwards."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.edge.deadline import seconds_until
from tests.edge.outage import Outage, own_cluster
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import OutOfOrder, check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.postgres_line import PostgresLine, postgres_line
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds
from tests.identity.every_route import each_route
from tests.nodes.takeover import Reader, follow_to_the_end

Make = Callable[..., ServerProcess]

LEASE_SECONDS = 2.0
BACK_WITHIN_SECONDS = 5
REFUSED_WITHIN_SECONDS = 15
"""Twice the lease for a silent database, and the rest for a machine that has a hundred requests at once to answer."""
MANY = 10


@pytest.fixture
def outage() -> Iterator[Outage]:
    """A PostgreSQL of this test's own."""
    with own_cluster() as outage:
        yield outage


class Ledger:
    """What was acknowledged, in a file that outlives everything here."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, session: str, message_id: str) -> None:
        """Write down that an input was accepted."""
        with self._path.open("a") as file:
            file.write(json.dumps([session, message_id]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def noted(self) -> list[tuple[str, str]]:
        """Return all that was accepted."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [(session, message) for session, message in map(json.loads, lines)]


async def test_while_the_database_is_silent_every_route_refuses_in_good_time_and_streams_stay(
    make_server: Make, postgres: PostgresCluster
) -> None:
    async with _behind_a_line(make_server, postgres) as (line, server), Client(server.url) as client:
        session = await client.session()
        run = await client.accepted(session, "/tokens 600 5")
        reader = Reader(session, run["runtimeRunId"], run["position"])
        following = asyncio.create_task(follow_to_the_end(client, reader))
        await seconds_until(lambda: _has(reader, 20), within=20)

        line.stall()
        names = {"session_id": session, "branch_id": "main", "agent_id": "demo", "run_id": run["runtimeRunId"]}
        routes = [route for route in each_route() if not route.is_socket]
        answers = await asyncio.gather(*(_ask(server.url, route.method, route.at(names)) for route in routes))
        line.go_on()

        back = await seconds_until(lambda: _works(client), within=BACK_WITHIN_SECONDS)
        await following
        log = await client.log_lines(session)

    wrong = [answer for answer in answers if answer.fault]
    assert wrong == []
    assert sum(answer.status == 503 for answer in answers) > 40
    assert back < BACK_WITHIN_SECONDS
    assert reader.ledger == log[1:]


async def test_connections_that_are_cut_lose_and_double_nothing(
    make_server: Make, postgres: PostgresCluster, tmp_path: Path
) -> None:
    tally = Tally("b10-cut")

    async with _behind_a_line(make_server, postgres) as (line, server):
        await _play(server, Ledger(tmp_path / "ledger"), tally, lambda: _cut(line), times=2)

    tally.close()


async def test_a_database_that_dies_and_comes_back_lost_and_doubled_nothing(
    make_server: Make, outage: Outage, tmp_path: Path
) -> None:
    tally = Tally("b10")

    await _outages(make_server, outage, tmp_path, tally, seconds=1.5, times=1)

    tally.close()


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b10_postgresql_is_killed_and_stays_away_for_ten_seconds(
    make_server: Make, outage: Outage, tmp_path: Path
) -> None:
    tally = Tally("b10")

    slowest = await _outages(make_server, outage, tmp_path, tally, seconds=10, times=rounds(5))

    tally.close(f"first 2xx {slowest:.1f} s after it was ready")


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b10_connections_are_cut_again_and_again(
    make_server: Make, postgres: PostgresCluster, tmp_path: Path
) -> None:
    tally = Tally("b10-cut")

    async with _behind_a_line(make_server, postgres) as (line, server):
        await _play(server, Ledger(tmp_path / "ledger"), tally, lambda: _cut(line), times=rounds(50))

    tally.close()


@asynccontextmanager
async def _behind_a_line(
    make_server: Make, postgres: PostgresCluster
) -> AsyncIterator[tuple[PostgresLine, ServerProcess]]:
    """Start a server whose way to its database can be stalled and cut."""
    async with postgres_line(postgres.socket_folder) as line:
        url = (await postgres.create_database_async()).replace(postgres.socket_folder, line.folder)
        server = make_server(url, lease_seconds=LEASE_SECONDS, sweep_seconds=0.2)
        # Beside the line, which is carried by this loop.
        await asyncio.to_thread(server.start)
        yield line, server
        await asyncio.to_thread(server.kill)


async def _outages(
    make_server: Make, outage: Outage, folder: Path, tally: Tally, *, seconds: float, times: int
) -> float:
    url = await outage.cluster.create_database_async()
    server = make_server(url, lease_seconds=LEASE_SECONDS, sweep_seconds=0.2).start()

    async def away() -> None:
        await asyncio.to_thread(outage.begin)
        async with Client(server.url) as client:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                answer = await client.http.post("/sessions", json={})
                refused = answer.status_code, answer.headers.get("retry-after"), answer.headers["content-type"]
                assert refused == (503, "2", "application/problem+json"), answer.text
                await asyncio.sleep(0.05)
        await asyncio.to_thread(outage.end)

    return await _play(server, Ledger(folder / "ledger"), tally, away, times=times)


async def _cut(line: PostgresLine) -> None:
    """Break all connections, and then those of the next commits, before and after the commit has arrived."""
    line.cut()
    line.commits_to_cut += [False, True] * 12

    async def are_cut() -> bool:
        return not line.commits_to_cut

    await seconds_until(are_cut, within=20)


async def _play(server: ServerProcess, ledger: Ledger, tally: Tally, fault: Callable[[], Any], *, times: int) -> float:
    """Send inputs while the fault comes and goes; check what was acknowledged. Return how long the way back took."""
    slowest = 0.0
    async with Client(server.url) as client:
        for _ in range(times):
            sessions = [await client.session() for _ in range(MANY)]
            over, before = asyncio.Event(), len(ledger.noted())
            async with asyncio.TaskGroup() as talking:
                for session in sessions:
                    talking.create_task(_talk(client, session, ledger, over))
                await seconds_until(lambda: _more_than(ledger, before + 2 * MANY), within=30)  # noqa: B023
                await fault()
                slowest = max(slowest, await seconds_until(lambda: _works(client), within=BACK_WITHIN_SECONDS))
                over.set()
            for session in sessions:
                tally.add(*await _faults(client, session, ledger))
    return slowest


async def _talk(client: Client, session: str, ledger: Ledger, over: asyncio.Event) -> None:
    """Say one thing after the other, each until it is accepted, and note down what was."""
    number = 0
    while not over.is_set() or number == 0:
        number += 1
        message_id = f"{session}-{number}"
        said = {"messageId": message_id, "content": "/tokens 20 1"}
        body = {"type": "USER_MESSAGES_INPUT", "messages": [said], "runningRunBehavior": "queue"}
        while True:
            answer = await client.http.post(f"{client.path(session)}/inputs", json=body)
            # After a 503 that was wrong about it, the message is there: it was not said twice then.
            if answer.status_code == 202 or answer.json()["code"] == "message-exists":
                ledger.note(session, message_id)
                break
            assert answer.json()["code"] in {"storage-unavailable", "not-ready", "queue-full"}, answer.text
            await asyncio.sleep(0.05)


async def _faults(client: Client, session: str, ledger: Ledger) -> list[str]:
    """Return what is wrong with a session: each input that was noted is in its log once, and its run completed."""

    async def is_idle() -> bool:
        runs = (await client.http.get(f"/sessions/{session}/branches/main/runs")).json()
        return all(run["status"] not in {"active", "queued"} for run in runs)

    await seconds_until(is_idle, within=60)
    log = await client.log(session)
    faults: list[str] = []
    said = [event["messageId"] for event in log if event["type"] == "BRANCH_RUN_STARTED"]
    noted = [message for at, message in ledger.noted() if at == session]
    if sorted(said) != sorted(noted):
        faults.append(f"{len(noted)} inputs were accepted, and {len(said)} runs are in the log")
    if len(set(said)) != len(said):
        faults.append("an input is there twice")
    ends = [event["status"] for event in log if completed(event)]
    if ends != ["completed"] * len(noted):
        faults.append(f"{len(noted)} inputs ended as {ends}")
    try:
        check_log(log)
    except OutOfOrder as error:
        faults.append(str(error))
    return faults


class _Answer:
    """What a route said while nothing could be asked, and what was wrong with that."""

    def __init__(self, name: str, status: int, seconds: float, fault: str) -> None:
        self.status = status
        self.fault = fault
        self._shown = f"{name}: {status} after {seconds:.1f} s {fault}"

    def __repr__(self) -> str:
        return self._shown


async def _ask(base: str, method: str, path: str) -> _Answer:
    began, name = time.monotonic(), f"{method} {path}"
    body = {} if method in {"POST", "PUT", "PATCH"} else None
    async with httpx.AsyncClient(base_url=base, timeout=4 * REFUSED_WITHIN_SECONDS) as http:
        async with http.stream(method, path, json=body) as answer:
            streams = "event-stream" in answer.headers.get("content-type", "")
            told = b"" if streams else await answer.aread()
    took = time.monotonic() - began
    fault = f"took longer than {REFUSED_WITHIN_SECONDS} s" if took > REFUSED_WITHIN_SECONDS else ""
    if answer.status_code == 503 and answer.headers.get("retry-after") is None:
        fault = "no Retry-After"
    elif answer.status_code >= 500 and answer.status_code != 503:
        fault = told.decode()[:200]
    elif answer.status_code == 503 and not json.loads(told).get("code"):
        fault = f"no problem document: {told[:200]!r}"
    return _Answer(name, answer.status_code, took, fault)


async def _works(client: Client) -> bool:
    return (await client.http.post("/sessions", json={})).status_code == 201


async def _has(reader: Reader, many: int) -> bool:
    return len(reader.ledger) > many


async def _more_than(ledger: Ledger, many: int) -> bool:
    return len(ledger.noted()) > many
