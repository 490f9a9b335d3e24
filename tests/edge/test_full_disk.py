"""A full disk refuses what is new, loses nothing that is old, and is forgotten once there is room again."""

import asyncio
import contextlib
import json
import sqlite3
from typing import Any

import httpx

from hosting import create_app
from hosting.settings import Settings
from tests.edge.deadline import seconds_until
from tests.edge.in_process import in_process
from tests.edge.problem import problem
from tests.edge.rows import count_rows
from tests.edge.whole_log import assert_whole

TOKENS = 1500
LEASE_SECONDS = 0.8
FULL_SECONDS = 4  # longer than the leases of all the attempts that a run has
BRANCH = "/agents/demo/sessions/s1/branches/main"
RECOVERS_WITHIN_SECONDS = 5


class Disk:
    """How large the database file may become; hand it to the application as `on_connect`."""

    def __init__(self) -> None:
        self._connections: list[Any] = []
        self._pages = 0

    def __call__(self, connection: Any) -> None:
        """Limit a new connection as the others are."""
        self._connections.append(connection)
        if self._pages:
            self._limit(self._pages)

    def fill(self) -> None:
        """Let the file grow no more."""
        self._pages = self._connections[-1].execute("PRAGMA page_count").fetchone()[0]
        self._limit(self._pages)

    def make_room(self) -> None:
        """Let it grow again."""
        self._pages = 0
        self._limit(1 << 30)

    def _limit(self, pages: int) -> None:
        for connection in self._connections:
            connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_answers_503_and_recovers(sqlite_url: str) -> None:
    disk = Disk()
    settings = Settings(database_url=sqlite_url, lease_seconds=LEASE_SECONDS, sweep_seconds=0.1)
    async with in_process(create_app(settings=settings, on_connect=disk)) as client:
        assert (await client.post("/sessions", json={"sessionId": "s1"})).status_code == 201
        assert (await client.post("/sessions", json={"sessionId": "s2"})).status_code == 201
        accepted = (await client.post(f"{BRANCH}/inputs", json={"text": f"/tokens {TOKENS} 1"})).json()
        run = f"{BRANCH}/runs/{accepted['runtimeRunId']}"
        await seconds_until(lambda: _has_token(client, 100), within=10)

        disk.fill()
        await seconds_until(lambda: _is_full(client), within=10)
        stored = await count_rows(sqlite_url)
        session = await client.post("/sessions", json={"metadata": {"a": "x" * 50_000}})
        branch = await client.post("/agents/demo/sessions/s1/branches", json={"description": "x" * 50_000})
        submitted = await client.post("/agents/demo/sessions/s2/branches/main/inputs", json={"text": "x" * 50_000})
        reads = await _reads_for(client, ("/sessions", run, f"{BRANCH}/events", "/healthz"), FULL_SECONDS)
        now_stored = await count_rows(sqlite_url)

        disk.make_room()
        writes_after = await seconds_until(lambda: _creates(client, "s3"), within=RECOVERS_WITHIN_SECONDS)
        await seconds_until(lambda: _has_ended(client, run), within=30)
        ended = (await client.get(run)).json()
        log = (await client.get(f"{BRANCH}/events")).json()

    assert [problem(response)["code"] for response in (session, branch, submitted)] == ["storage-unavailable"] * 3
    for table in ("sessions", "branches", "runs"):
        assert now_stored[table] == stored[table]
    assert {response.status_code for response in reads} == {200}
    assert writes_after < RECOVERS_WITHIN_SECONDS
    assert ended["status"] == "completed", ended
    assert_whole(log, TOKENS)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def _reads_for(client: httpx.AsyncClient, paths: tuple[str, ...], seconds: float) -> list[httpx.Response]:
    loop = asyncio.get_running_loop()
    until, responses = loop.time() + seconds, []
    while loop.time() < until:
        responses += [await client.get(path) for path in paths]
        await asyncio.sleep(0.05)
    return responses


async def _has_token(client: httpx.AsyncClient, number: int) -> bool:
    return f"tok{number} " in (await client.get(f"{BRANCH}/events")).text


async def _is_full(client: httpx.AsyncClient) -> bool:
    response = await client.post("/sessions", json={"metadata": {"fill": "x" * 20_000}})
    assert response.status_code in {201, 503}, response.text
    return response.status_code == 503


async def _creates(client: httpx.AsyncClient, session_id: str) -> bool:
    response = await client.post("/sessions", json={"sessionId": session_id, "metadata": {"a": "x" * 50_000}})
    assert response.status_code in {201, 503}, response.text
    return response.status_code == 201


async def _has_ended(client: httpx.AsyncClient, run: str) -> bool:
    return json.loads((await client.get(run)).content)["status"] != "active"
