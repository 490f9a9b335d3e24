"""Fifty forks at once, on one server and on two."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import httpx

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.tree.branching import code_of, said, shown, siblings, tree, tree_updates, try_fork

AT_ONCE = 50
WANTED = 5
"""How many of the forks want the same id."""


async def _all_at_once(clients: Sequence[Client], session: str, at: Sequence[str]) -> list[httpx.Response]:
    return await asyncio.gather(
        *(
            try_fork(clients[index % len(clients)], session, at[index % len(at)], _wanted(index))
            for index in range(AT_ONCE)
        )
    )


def _wanted(index: int) -> str:
    return "wanted" if index % (AT_ONCE // WANTED) == 0 else f"f{index}"


async def _are_right(client: Client, session: str, at: Sequence[str], answers: list[httpx.Response]) -> None:
    made = [answer.json() for answer in answers if answer.status_code == 201]
    refused = Counter(code_of(answer) for answer in answers if answer.status_code != 201)
    assert refused == {(409, "branch-exists"): WANTED - 1}
    names = {each["id"] for each in made}
    assert len(made) == len(names) == AT_ONCE - WANTED + 1

    main, *branches = await tree(client, session)
    assert {branch["branchId"] for branch in branches} == names
    assert main["children"] == [branch["branchId"] for branch in branches]
    assert {(branch["messageCount"], branch["forkedAtMessageId"]) for branch in branches} == set(enumerate(at, 1))
    for message in at:
        group = [branch["branchId"] for branch in branches if branch["forkedAtMessageId"] == message]
        stand = await siblings(client, session, group[-1])
        assert [each["id"] for each in stand] == ["main", *group]
        assert [each["siblingIndex"] for each in stand[1:]] == list(range(1, len(stand)))
    shown_main = await shown(client, f"/sessions/{session}/branches/main")
    assert shown_main["childBranches"] == main["children"]
    await _told_one_by_one(client, session, main["children"])


async def _told_one_by_one(client: Client, session: str, children: list[str]) -> None:
    log = await client.log(session)
    check_log(log)
    told = [update["childBranches"] for update in tree_updates(log)]
    assert [len(each) for each in told] == list(range(1, len(children) + 1))
    assert told[-1] == children
    for before, after in pairwise(told):
        assert [child for child in after if child in before] == before
    for child in children[:: len(children) // 4]:
        check_log(await client.log(session, child))


async def test_fifty_forks_at_once_all_stand_where_they_belong(client: Client, store: RawStore) -> None:
    session = await client.session()
    at = await said(client, session, "Hi")

    answers = await _all_at_once([client], session, at)

    await _are_right(client, session, at, answers)
    rows = await store.run(
        "SELECT count(*) FROM messages JOIN branches ON branches.key = branch_key WHERE session_id = ?", session
    )
    forks = (await tree(client, session))[1:]
    assert rows[0][0] == 2 + sum(fork["messageCount"] for fork in forks)


async def test_fifty_forks_at_once_of_branches_side_by_side(client: Client) -> None:
    session = await client.session()
    _, answer = await said(client, session, "Hi")
    for number in range(5):
        assert (await try_fork(client, session, answer, f"source{number}")).status_code == 201

    answers = await asyncio.gather(
        *(try_fork(client, session, answer, f"f{index}", of=f"source{index % 5}") for index in range(AT_ONCE))
    )

    assert {answer.status_code for answer in answers} == {201}
    main, *others = await tree(client, session)
    assert main["children"] == [f"source{number}" for number in range(5)]
    for number in range(5):
        log = await client.log(session, f"source{number}")
        check_log(log)
        children = next(each["children"] for each in others if each["branchId"] == f"source{number}")
        assert sorted(children) == sorted(f"f{index}" for index in range(number, AT_ONCE, 5))
        assert tree_updates(log)[-1]["childBranches"] == children


async def test_fifty_forks_at_once_through_two_servers_all_stand_where_they_belong(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    servers = [make_server(url).start() for _ in range(2)]
    async with Client(servers[0].url) as one, Client(servers[1].url) as other:
        session = await one.session()
        at = await said(one, session, "Hi")

        answers = await _all_at_once([one, other], session, at)

        await _are_right(one, session, at, answers)
        assert await tree(one, session) == await tree(other, session)
