"""A3: while a disk takes nothing, nothing is acknowledged and nothing shown; once it does, all goes on."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hosting import create_app
from hosting.settings import Settings
from tests.edge.deadline import seconds_until
from tests.edge.in_process import in_process
from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.feed import Feed, completed
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database
from tests.harness.tally import Tally, rounds, seed
from tests.interrupt.talk import Talk
from tests.proof.small_disk import Ballast, small_disk
from tests.proof.strace import Strace, needs_strace

Make = Callable[..., ServerProcess]
Fault = Callable[[ServerProcess], AbstractContextManager[object]]

TOKENS = 300
FAILS_FOR_SECONDS = 1.0
RECOVERS_WITHIN_SECONDS = 5.0


class Watched:
    """A run that streams while its disk begins to fail, and what its reader has seen of it."""

    def __init__(self, client: Client, session: str) -> None:
        self._client = client
        self.session = session
        self.seen: list[str] = []

    async def follow(self, feed: Feed) -> None:
        """Read until the run has ended, or the server has."""
        try:
            while (frame := await feed.event()) is not None:
                self.seen.append(str(frame.data))
                if completed(frame.json):
                    return
        except (OSError, asyncio.IncompleteReadError):
            return

    async def far(self, count: int) -> None:
        """Wait until so much was seen."""

        async def so_far() -> bool:
            return len(self.seen) >= count

        await seconds_until(so_far, within=20)


@dataclass
class Told:
    """The sessions that were acknowledged and those that were refused, and what was taken after the first refusal."""

    acked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


async def _round(
    server: ServerProcess, fault: Fault, name: str, *, takes_nothing: bool, kills: bool, after: int
) -> list[str]:
    faults, told = list[str](), Told()
    async with Client(server.url) as client:
        watched = Watched(client, await client.session(f"{name}-run"))
        await client.session(f"{name}-idle")
        async with client.feed(watched.session) as feed:
            following = asyncio.create_task(watched.follow(feed))
            await client.accepted(watched.session, f"/tokens {TOKENS} 5")
            await watched.far(after)
            with fault(server):
                await _refused(client, name, told)
                seen = len(watched.seen)
                await _refuses(client, name, told, takes_nothing=takes_nothing)
                # A full disk may have room for little things still, in what it has given away before.
                if takes_nothing and told.taken:
                    faults.append(f"{told.taken} were acknowledged while the disk failed")
                if takes_nothing and len(watched.seen) > seen:
                    faults.append(f"{len(watched.seen) - seen} events were shown while the disk failed")
                if kills:
                    server.kill()
        await following
    if kills:
        await asyncio.to_thread(server.start)
    async with Client(server.url) as client:
        took = await seconds_until(lambda: _creates(client, f"{name}-after"), within=30)
        faults += [] if took <= RECOVERS_WITHIN_SECONDS else [f"written again after {took:.1f} s only"]
        log = await Talk(client, watched.session).idle(seconds=60)
        lines = set(await client.log_lines(watched.session))
        lost = [line for line in watched.seen if line not in lines]
        faults += [f"lost {line[:200]}" for line in lost[:1]]
        check_log(log)
        faults += [f"lost {session}" for session in told.acked if not await _is_there(client, session)]
        if not kills:
            faults += [f"{session} was refused" for session in told.refused if await _is_there(client, session)]
    return faults + _integrity(server.database_url)


async def _refused(client: Client, name: str, told: Told) -> None:
    """Ask until it is refused for the first time: what was on its way to the disk already may come through."""
    # A full disk takes more as long as what was written to it before is written over: the log of SQLite is 4 MB.
    for number in range(2000):
        response = await client.http.post("/sessions", json={"sessionId": f"{name}-{number}"})
        if response.status_code != 201:
            assert problem(response)["code"] == "storage-unavailable"
            told.refused.append(f"{name}-{number}")
            return
        told.acked.append(f"{name}-{number}")
    raise AssertionError("the disk does not fail")


async def _refuses(client: Client, name: str, told: Told, *, takes_nothing: bool) -> None:
    """Ask for all that writes, for a while; a refusal is a problem document, and what only reads goes on."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FAILS_FOR_SECONDS
    for number in count():
        session = f"{name}-meanwhile-{number}"
        for path, body in (
            ("/sessions", {"sessionId": session}),
            (f"{client.path(f'{name}-idle')}/inputs", {"text": "Hi"}),
            (f"/agents/demo/sessions/{name}-idle/branches", {}),
        ):
            response = await client.http.post(path, json=body)
            if response.is_success:
                told.taken.append(path)
            elif takes_nothing or problem(response)["code"] != "branch-run-active":
                assert (path, problem(response)["code"]) == (path, "storage-unavailable")
            if path == "/sessions":
                (told.acked if response.is_success else told.refused).append(session)
        # A read may be refused as well; what matters is that nobody is told anything else.
        shown = await client.http.get(f"/sessions/{name}-idle")
        assert shown.status_code == 200 or problem(shown)["code"] == "storage-unavailable"
        if loop.time() >= until:
            return


async def _is_there(client: Client, session: str) -> bool:
    return (await client.http.get(f"/sessions/{session}")).is_success


async def _creates(client: Client, session: str) -> bool:
    response = await client.http.post("/sessions", json={"sessionId": session})
    assert response.status_code in {201, 503}, response.text
    return response.status_code == 201


def _integrity(url: str) -> list[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    return [] if found == "ok" else [f"integrity_check: {found}"]


async def _fails(server: ServerProcess, fault: Fault, name: str, *, takes_nothing: bool) -> None:
    tally, chance = Tally("a3"), random.Random(seed())
    for number in range(rounds(20)):
        kills = number % 3 == 2
        after = chance.randrange(1, TOKENS // 2)
        found = await _round(server, fault, f"{name}-{number}", takes_nothing=takes_nothing, kills=kills, after=after)
        tally.add(*found)
    tally.close(f"{name}, one in three killed meanwhile, seed {seed()}")


@needs_strace
@pytest.mark.campaign
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("call", "error"), [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fdatasync", "ENOSPC")]
)
async def test_a3_syncs_and_writes_fail(make_server: Make, sqlite_url: str, call: str, error: str) -> None:
    server = make_server(sqlite_url, lease_seconds=1.5, sweep_seconds=0.1).start()

    def failing(server: ServerProcess) -> Strace:
        return Strace(server, "-e", f"trace={call}", "-e", f"inject={call}:error={error}")

    await _fails(server, failing, f"{call}-{error}", takes_nothing=True)


@pytest.fixture
def disk_url(tmp_path: Path) -> Iterator[str]:
    """A database on a small disk."""
    with small_disk(tmp_path / "disk", megabytes=32) as disk:
        yield sqlite_database(disk)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a3_a_disk_is_full(make_server: Make, disk_url: str, tmp_path: Path) -> None:
    server = make_server(disk_url, lease_seconds=1.5, sweep_seconds=0.1).start()

    await _fails(server, lambda _: Ballast(tmp_path / "disk"), "full", takes_nothing=False)

    server.terminate()


class Refusing:
    """Hand it to the application as `on_connect`: while the block lasts, no COMMIT of its connections is made."""

    def __init__(self) -> None:
        self._connections: list[Any] = []

    def __call__(self, connection: Any) -> None:
        """Take hold of a new connection."""
        self._connections.append(connection)

    def __enter__(self) -> None:
        for connection in self._connections:
            connection.set_authorizer(_no_commit)

    def __exit__(self, *exc: object) -> None:
        for connection in self._connections:
            connection.set_authorizer(None)


def _no_commit(action: int, argument: str | None, *others: object) -> int:
    refused = action == sqlite3.SQLITE_TRANSACTION and argument == "COMMIT"
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


async def test_while_no_commit_can_be_made_nothing_is_acknowledged_and_then_all_goes_on(sqlite_url: str) -> None:
    refusing = Refusing()
    settings = Settings(database_url=sqlite_url, lease_seconds=1.5, sweep_seconds=0.1)
    async with in_process(create_app(settings=settings, on_connect=refusing)) as http:
        assert (await http.post("/sessions", json={"sessionId": "before"})).status_code == 201

        with refusing:
            answers = [await http.post("/sessions", json={"sessionId": f"s{index}"}) for index in range(5)]
            submitted = await http.post("/agents/demo/sessions/before/branches/main/inputs", json={"text": "Hi"})
        after = await http.post("/sessions", json={"sessionId": "s0"})
        again = await http.post("/agents/demo/sessions/before/branches/main/inputs", json={"text": "Hi"})
        stored = await http.get("/sessions")

    assert [problem(each)["code"] for each in (*answers, submitted)] == ["storage-unavailable"] * 6
    assert (after.status_code, again.status_code) == (201, 202)
    assert {session["id"] for session in stored.json()} == {"before", "s0"}
    assert _integrity(sqlite_url) == []
