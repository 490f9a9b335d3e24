"""Forks and deletes across `kill -9`: both logs and the tree tell the same, whatever was cut."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from tests.crash.fatal import ACTING, QUICK
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.tree.branching import delete, fork, said, tree, tree_updates, try_fork
from tests.tree.left import rows_of

Make = Callable[..., ServerProcess]
AT_ONCE = 30


async def cut(server: ServerProcess, death: str, request: Callable[[Client], object]) -> None:
    """Let the server die at a commit that a request asks for, and start again."""
    (server.folder / "died").unlink(missing_ok=True)
    (server.folder / "death").write_text(death)
    async with Client(server.url) as client:
        with pytest.raises(httpx.TransportError):
            await request(client)  # type: ignore[misc]
    await asyncio.to_thread(server.wait)
    assert (server.folder / "died").exists(), "the server died by itself"
    await asyncio.to_thread(server.start)


async def consistent(client: Client, session: str) -> list[str]:
    """Return the forks of main, once logs and tree say the same of them."""
    main, *others = await tree(client, session)
    log = await client.log(session)
    check_log(log)
    told = [update["childBranches"] for update in tree_updates(log)]
    assert (told or [[]])[-1] == main["children"] == [branch["branchId"] for branch in others]
    for branch in others:
        copied = await client.log(session, branch["branchId"])
        check_log(copied)
        assert [event["type"] for event in copied].count("MESSAGE_COMPLETED") == branch["messageCount"] == 2
    return list(main["children"])


async def test_a_fork_or_a_delete_that_is_cut_is_whole_or_never_was(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        _, answer = await said(client, session, "Hi")
        await fork(client, session, answer, "f0")
    steps: list[tuple[str, Callable[[Client], object], list[str]]] = [
        ("before BRANCH_FORKED", lambda client: try_fork(client, session, answer, "f1"), ["f0"]),
        ("after BRANCH_FORKED", lambda client: try_fork(client, session, answer, "f1"), ["f0", "f1"]),
        ("before BRANCH_TREE_UPDATED", lambda client: delete(client, session, "f0"), ["f0", "f1"]),
        ("after BRANCH_TREE_UPDATED", lambda client: delete(client, session, "f0"), ["f1"]),
    ]

    for death, request, left in steps:
        await cut(server, death, request)
        async with Client(server.url) as client:
            assert (death, await consistent(client, session)) == (death, left)
            assert (await rows_of(RawStore(database_url), session))["branches"] == 1 + len(left)


async def test_forks_that_were_acknowledged_are_there_after_a_kill(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, **QUICK).start()
    acknowledged: list[str] = []
    enough = asyncio.Event()
    async with Client(server.url) as client:
        session = await client.session()
        _, answer = await said(client, session, "Hi")

        async def forks(number: int) -> None:
            for index in range(AT_ONCE):
                acknowledged.append((await fork(client, session, answer, f"f{number}-{index}"))["id"])
                if len(acknowledged) == AT_ONCE:
                    enough.set()

        working = [asyncio.create_task(forks(number)) for number in range(4)]
        async with asyncio.timeout(30):
            await enough.wait()
        server.kill()
        outcomes = await asyncio.gather(*working, return_exceptions=True)

    server.start()

    assert all(isinstance(outcome, httpx.TransportError) for outcome in outcomes)
    async with Client(server.url) as client:
        there = await consistent(client, session)
        await said(client, session, "More", acknowledged[-1])
    assert set(acknowledged) <= set(there)
    assert len(there) <= len(acknowledged) + len(working)
