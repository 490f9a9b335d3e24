"""Deletes that race with inputs, forks and each other: who is second is told so, and nothing is orphaned."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.tree.branching import delete, fork, said, tree, tree_updates, try_fork
from tests.tree.left import rows_of

ROUNDS = 6


def told(response: httpx.Response) -> str:
    """Return what an answer says: its status, or the code of a refusal."""
    return str(response.status_code) if response.is_success else str(response.json()["code"])


async def raced(first: Awaitable[httpx.Response], *others: Awaitable[httpx.Response], pause: float) -> list[str]:
    """Send requests at once, the first one a little later, and return what is said to each."""

    async def later() -> httpx.Response:
        await asyncio.sleep(pause)
        return await first

    return [told(response) for response in await asyncio.gather(later(), *others)]


async def deletes_race_inputs(one: Client, other: Client, store: RawStore, rounds: int) -> None:
    """Race them, round after round, at all distances; for a session the same as for a branch."""
    for number in range(rounds):
        session = await one.session()
        message, _ = await said(one, session, "Hi")
        await fork(one, session, message, "f1")
        gone = delete(one, session, "f1") if number % 3 else delete(one, session)

        answers = await raced(gone, *(other.send(session, "Hello", "f1") for _ in range(2)), pause=number % 12 / 1000)

        if answers[0] == "204":
            # An input that came first has ended before it.
            assert set(answers[1:]) <= {"202", "branch-run-active", "branch-not-found", "session-not-found"}
            assert (await one.http.get(f"/sessions/{session}/branches/f1")).status_code == 404
            left = await rows_of(store, session)
            assert (left["runs"], left["branches"]) == ((1, 1) if number % 3 else (0, 0))
        else:
            assert answers[0] == "branch-run-active"
            # The second input finds the run of the first, or comes when that has ended.
            assert set(answers[1:]) <= {"202", "branch-run-active"}
            runs = (await one.http.get(f"{one.path(session, 'f1')}/runs")).json()
            assert len(runs) == answers[1:].count("202") > 0
            for run in runs:
                assert (await one.ended(session, run["runtimeRunId"], "f1"))["status"] == "completed"
            check_log(await one.log(session, "f1"))


async def deletes_race_forks(one: Client, other: Client, store: RawStore, rounds: int) -> None:
    """Race them; a fork that came first keeps its source, one that came second finds none."""
    for number in range(rounds):
        session = await one.session()
        message, _ = await said(one, session, "Hi")
        await fork(one, session, message, "f1")
        query = "?recursive=true" if number % 2 else ""

        answers = await raced(
            delete(one, session, "f1", query),
            *(try_fork(other, session, message, f"g{index}", of="f1") for index in range(3)),
            pause=number % 12 / 1000,
        )

        there = [branch["branchId"] for branch in await tree(one, session)]
        made = [f"g{index}" for index, answer in enumerate(answers[1:]) if answer == "201"]
        assert set(answers[1:]) <= {"201", "branch-not-found", "fork-message-not-present"}
        if answers[0] == "204":
            assert there == ["main"]
            assert query or made == []
            assert tree_updates(await one.log(session))[-1]["childBranches"] == []
            assert (await rows_of(store, session))["messages"] == 2
        else:
            assert answers[0] == "has-children"
            assert sorted(there) == sorted(["main", "f1", *made])
            assert sorted(tree_updates(await one.log(session, "f1"))[-1]["childBranches"]) == made
        for branch in there:
            check_log(await one.log(session, branch))


async def deletes_race_deletes(one: Client, other: Client, store: RawStore, rounds: int) -> None:
    """Delete the same, and what lies within each other, at once: each is deleted by one."""
    for number in range(rounds):
        session = await one.session()
        message, _ = await said(one, session, "Hi")
        await fork(one, session, message, "f1")
        await fork(one, session, message, "f2", of="f1")
        await fork(one, session, message, "f3", of="f1")

        answers = await raced(
            delete(one, session, "f1", "?recursive=true"),
            delete(other, session, "f1", "?recursive=true"),
            delete(other, session, "f2"),
            delete(one, session, "f3", "?force=true"),
            pause=number % 12 / 2000,
        )

        assert sorted(answers[:2]) == ["204", "branch-not-found"]
        assert set(answers[2:]) <= {"204", "branch-not-found"}
        assert [branch["branchId"] for branch in await tree(one, session)] == ["main"]
        check_log(await one.log(session))
        assert (await rows_of(store, session))["branches"] == 1


async def sessions_race_everything(one: Client, other: Client, store: RawStore, rounds: int) -> None:
    """Delete a session by force while all that there is comes to it: it goes, and nobody meets a fault."""
    for number in range(rounds // 2):
        session = await one.session()
        message, _ = await said(one, session, "Hi")
        for index in range(3):
            await fork(one, session, message, f"f{index}")

        answers = await raced(
            delete(one, session, query="?force=true"),
            *(other.send(session, "/tokens 300 5", f"f{index}") for index in range(3)),
            *(try_fork(other, session, message, f"g{index}") for index in range(3)),
            other.http.patch(f"/sessions/{session}", json={"metadata": {"a": 1}}),
            other.http.patch(f"/sessions/{session}/branches/f1", json={"name": "a"}),
            other.http.post(f"/agents/demo/sessions/{session}/branches", json={"branchId": "new"}),
            delete(other, session, "f2", "?force=true"),
            pause=number % 12 / 250,
        )

        fine = {"200", "201", "202", "204"} | {"session-not-found", "branch-not-found", "fork-message-not-present"}
        assert answers[0] == "204"
        assert set(answers[1:]) <= fine
        assert set((await rows_of(store, session)).values()) == {0}


RACES = [deletes_race_inputs, deletes_race_forks, deletes_race_deletes, sessions_race_everything]


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
async def test_deletes_that_race_leave_no_orphans(client: Client, store: RawStore, race: Callable[..., object]) -> None:
    await race(client, client, store, ROUNDS)  # type: ignore[misc]


async def test_deletes_that_race_on_two_servers_leave_no_orphans(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    await _race_on_two_servers(make_server, await postgres.create_database_async(), 3)


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_deletes_that_race_on_two_servers_round_after_round(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    rounds = int(os.environ.get("ROUNDS", "100"))

    await _race_on_two_servers(make_server, await postgres.create_database_async(), rounds)


async def _race_on_two_servers(make_server: Callable[..., ServerProcess], url: str, rounds: int) -> None:
    servers = [make_server(url, sweep_seconds=0.1, tops_seconds=0.1).start() for _ in range(2)]
    async with Client(servers[0].url) as one, Client(servers[1].url) as other:
        for race in RACES:
            await race(one, other, RawStore(url), rounds)
