"""Where branches stand: siblings, children, the tree, and the names that lists show."""

from itertools import pairwise
from typing import Any

from tests.harness.client import Client
from tests.interrupt.talk import Talk
from tests.tree.branching import delete, fork, patch, said, shown, siblings, tree, tree_updates, view

View = dict[str, Any]


def group(views: list[View]) -> list[str]:
    """Return the ids of siblings, whose places must be those that they say."""
    assert [each["siblingIndex"] for each in views] == list(range(len(views)))
    assert {each["totalSiblings"] for each in views} == {len(views)}
    assert [each.get("previousSiblingId") for each in views[1:]] == [each["id"] for each in views[:-1]]
    assert [each.get("nextSiblingId") for each in views[:-1]] == [each["id"] for each in views[1:]]
    assert "previousSiblingId" not in views[0]
    assert "nextSiblingId" not in views[-1]
    return [each["id"] for each in views]


async def test_forks_at_one_message_stand_behind_their_source_in_order_of_creation(client: Client) -> None:
    session = await client.session()
    _, answer = await said(client, session, "Hi")
    assert group(await siblings(client, session)) == ["main"]

    for name in "abcd":
        await fork(client, session, answer, name)

    for branch in ("a", "c"):
        assert group(await siblings(client, session, branch)) == ["main", "a", "b", "c", "d"]
    main = await view(client, session)
    assert (main["siblingIndex"], main["totalSiblings"], main["nextSiblingId"]) == (0, 5, "a")
    assert (main["childBranches"], main["totalForks"], main["isOriginal"]) == (list("abcd"), 4, True)
    assert {"forkedFrom", "originalBranchId", "ancestors", "forkedAtMessageIndex"} & main.keys() == set()
    told = tree_updates(await client.log(session))
    assert [(each["siblingIndex"], each["totalSiblings"], each["nextSiblingId"]) for each in told] == [
        (0, number, "a") for number in (2, 3, 4, 5)
    ]


async def test_siblings_close_ranks_when_one_is_deleted(client: Client) -> None:
    session = await client.session()
    _, answer = await said(client, session, "Hi")
    for name in "abcd":
        await fork(client, session, answer, name)

    left = ["main", *"abcd"]
    for gone in "bda":
        assert (await delete(client, session, gone)).status_code == 204
        left.remove(gone)
        assert group(await siblings(client, session, "c")) == left
        assert tree_updates(await client.log(session))[-1]["childBranches"] == left[1:]
    assert (await delete(client, session, "c")).status_code == 204
    await fork(client, session, answer, "b")

    assert group(await siblings(client, session, "b")) == ["main", "b"]
    told = tree_updates(await client.log(session))
    assert [(each["totalSiblings"], each["childBranches"]) for each in told[-2:]] == [(1, []), (2, ["b"])]


async def test_forks_at_other_messages_are_other_groups_and_an_original_stands_in_its_newest(client: Client) -> None:
    session = await client.session()
    first, answer = await said(client, session, "Hi")
    for name, at in (("a", first), ("b", answer), ("c", first)):
        await fork(client, session, at, name)

    assert group(await siblings(client, session, "a")) == ["main", "a", "c"]
    others = await siblings(client, session, "b")
    assert [each["id"] for each in others] == ["main", "b"]
    assert (await view(client, session))["totalSiblings"] == 3
    await delete(client, session, "c")
    assert (await view(client, session))["nextSiblingId"] == "b"


async def test_a_fork_that_is_forked_keeps_its_place(client: Client) -> None:
    session = await client.session()
    first, answer = await said(client, session, "Hi")
    await fork(client, session, answer, "a")
    await fork(client, session, answer, "b")
    await fork(client, session, first, "a1", of="a")
    await fork(client, session, first, "a2", of="a")

    assert group(await siblings(client, session, "b")) == ["main", "a", "b"]
    assert [each["id"] for each in await siblings(client, session, "a2")] == ["a", "a1", "a2"]
    inner = await view(client, session, "a2")
    assert (inner["siblingIndex"], inner["totalSiblings"], inner["previousSiblingId"]) == (2, 3, "a1")
    told = tree_updates(await client.log(session, "a"))
    assert [(each["siblingIndex"], each["totalSiblings"], each["childBranches"]) for each in told] == [
        (1, 3, ["a1"]),
        (1, 3, ["a1", "a2"]),
    ]
    assert told[0]["forkedFrom"] == told[0]["originalBranchId"] == told[0]["previousSiblingId"] == "main"
    assert (told[0]["forkedAtMessageId"], told[0]["forkedAtMessageIndex"]) == (answer, 1)
    assert told[0]["isOriginal"] is False


async def test_the_siblings_of_an_original_are_all_originals(client: Client) -> None:
    session = await client.session()
    await client.branch(session, "other")
    first, _ = await said(client, session, "Hi", "other")
    await fork(client, session, first, "a", of="other")

    assert [each["id"] for each in await siblings(client, session)] == ["main", "other"]
    assert [each["id"] for each in await siblings(client, session, "other")] == ["main", "other"]


async def test_the_tree_has_every_branch_in_order_of_creation_in_its_own_shape(client: Client) -> None:
    session = await client.session()
    first, answer = await said(client, session, "Hi")
    await fork(client, session, answer, "z", name="Zed")
    await client.branch(session, "beside")
    await fork(client, session, first, "a", of="z")
    await fork(client, session, first, "m")

    branches = await tree(client, session)

    created = [branch.pop("createdAt") for branch in branches]
    assert all(one < other for one, other in pairwise(created))
    assert created == [each["createdAt"] for each in await shown(client, f"/sessions/{session}/branches")]
    at = {"forkedAtMessageId": first, "forkedAtMessageIndex": 0}
    assert branches == [
        {"branchId": "main", "name": "main", "messageCount": 2, "children": ["z", "m"]},
        {
            "branchId": "z",
            "name": "Zed",
            "forkedFrom": "main",
            "forkedAtMessageId": answer,
            "forkedAtMessageIndex": 1,
            "messageCount": 2,
            "children": ["a"],
        },
        {"branchId": "beside", "name": "beside", "messageCount": 0, "children": []},
        {"branchId": "a", "name": "Hi", "forkedFrom": "z", **at, "messageCount": 1, "children": []},
        {"branchId": "m", "name": "Hi", "forkedFrom": "main", **at, "messageCount": 1, "children": []},
    ]


async def test_a_branch_is_called_by_its_name_its_description_its_first_words_or_its_id(client: Client) -> None:
    session = await client.session()
    long = "x" * 27 + "yyyy"
    several = [{"role": "system", "text": "Be kind."}, {"text": long}, {"text": "Hello"}]
    created = await client.http.post(f"/agents/demo/sessions/{session}/branches", json={"branchId": "b" * 31})
    assert created.json()["name"] == "b" * 27 + "..."
    branch = created.json()["id"]
    talk = Talk(client, session, branch)
    last = (await talk.post("inputs", {"type": "USER_MESSAGES_INPUT", "messages": several})).json()["messageId"]
    await talk.idle()
    await said(client, session, "Later", branch)

    copied = await fork(client, session, last, "copy", of=branch)
    names = [(await view(client, session, branch))["name"], copied["name"]]
    names.append((await patch(client, session, "copy", description="é" * 30))["name"])
    names.append((await patch(client, session, "copy", name="n" * 31))["name"])
    names.append((await patch(client, session, "copy", name="\N{GRINNING FACE}" * 31))["name"])
    names.append((await patch(client, session, "copy", name=""))["name"])
    names.append((await patch(client, session, "copy", description=""))["name"])

    assert names == [
        "x" * 27 + "...",
        "x" * 27 + "...",
        "é" * 30,
        "n" * 27 + "...",
        "\N{GRINNING FACE}" * 27 + "...",
        "é" * 30,
        "x" * 27 + "...",
    ]
    assert next(each["name"] for each in await tree(client, session) if each["branchId"] == "copy") == names[-1]
    log = await client.log(session, "copy")
    assert [event["name"] for event in log if event["type"] == "BRANCH_METADATA_UPDATED" and "name" in event] == [
        "n" * 31,
        "\N{GRINNING FACE}" * 31,
        "",
    ]
