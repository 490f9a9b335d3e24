"""A fork at every message of a conversation that has everything."""

from typing import Any

from tests.harness.client import Client, split_array
from tests.harness.order import check_log
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk
from tests.tree.branching import fork, history, said, shown, tree, tree_updates
from tests.tree.projection import Told, copies, messages

FILES = [
    {"$type": "data", "uri": "data:image/png;base64,iVBORw0KGgo=", "mediaType": "image/png"},
    {"$type": "text", "text": "Which of them?"},
    {"$type": "uri", "uri": "https://example.org/a.pdf", "mediaType": "application/pdf"},
]


async def everything(client: Client) -> Talk:
    """Hold a conversation with all that there is, and return it when it has ended."""
    talk = await Talk.begin(client)
    several = [{"role": "system", "text": "Be kind."}, {"role": "assistant", "text": "I am."}]
    several.append({"contents": [{"$type": "text", "text": part} for part in ("Hello ", "there")]})
    several.append({"contents": FILES})
    assert (await talk.post("inputs", {"type": "USER_MESSAGES_INPUT", "messages": several})).status_code == 202
    await talk.idle()
    for text in ("/reason", "/tool", "/fail"):
        await talk.say(text)
        await talk.idle()
    for approved in (True, False):
        await talk.say("/permission")
        await talk.answer((await talk.asked())[0], approved=approved)
        await talk.idle()
    await talk.say("/parallel")
    # In another order than they were asked in, so that the results come in another one than the calls.
    for number, asked in enumerate(reversed(await talk.asked(3))):
        await talk.answer(asked, approved=number != 1)
    await talk.idle()
    await talk.say("/clarify")
    asked = (await talk.asked())[0]
    await talk.answer(asked, question=asked["request"]["question"], answer="red")
    await talk.idle()
    await talk.say("/subagent")
    await talk.answer((await talk.asked())[0], approved=True)
    await talk.idle()
    await _interrupted(talk)
    return talk


async def _interrupted(talk: Talk) -> None:
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event.get("text") == "tok3 ")
    await talk.interrupt()
    await talk.idle()
    await talk.say("/parallel")
    await talk.asked(3)
    await talk.interrupt()
    await talk.idle()
    await talk.say("The last")
    await talk.idle()


async def test_a_fork_at_any_message_begins_with_exactly_the_messages_up_to_it(client: Client, store: RawStore) -> None:
    talk = await everything(client)
    session = talk.session
    log = await talk.log()
    told = messages(log)
    count = (await shown(client, f"/sessions/{session}/branches/main"))["messageCount"]

    for index, message in enumerate(told):
        new = f"fork-{index}"
        view = await fork(client, session, message.id, new)

        begun = await client.log(session, new)
        expected = told[: index + 1]
        _is_shown(view, expected)
        _begins_with(begun, expected)
        assert await store.ranges(session, new) == [(1, len(begun))]
        for kept in ("runs", "interactions"):
            assert (kept, await shown(client, f"{client.path(session, new)}/{kept}")) == (kept, [])
        assert await shown(client, f"/sessions/{session}/branches/{new}/queue") == {"items": []}
        assert await shown(client, f"/sessions/{session}/branches/{new}/runs/active") is None
        assert await history(client, session, new) == [each.id for each in expected]
        check_log(await client.log(session, new))

    source = await talk.log()
    assert len(told) == count > 25
    assert source[: len(log)] == log
    assert [len(update["childBranches"]) for update in source[len(log) :]] == list(range(1, len(told) + 1))
    assert source[len(log) :] == tree_updates(source)
    check_log(source)
    assert (await tree(client, session))[0]["children"] == [f"fork-{index}" for index in range(len(told))]
    assert {content["$type"] for message in told for content in message.whole} == {
        "text",
        "reasoning",
        "data",
        "uri",
        "functionCall",
        "functionResult",
    }


def _is_shown(view: dict[str, Any], expected: list[Told]) -> None:
    assert (view["messageCount"], view["forkedAtMessageIndex"]) == (len(expected), len(expected) - 1)
    assert (view["forkedFrom"], view["originalBranchId"], view["isOriginal"]) == ("main", "main", False)
    assert (view["forkedAtMessageId"], view["ancestors"]) == (expected[-1].id, {"0": "main"})
    assert (view["siblingIndex"], view["totalSiblings"], view["previousSiblingId"]) == (1, 2, "main")
    assert (view["childBranches"], view["totalForks"]) == ([], 0)


def _begins_with(log: list[dict[str, Any]], expected: list[Told]) -> None:
    check_log(log)
    created, forked, *_ = log
    assert created["type"] == "BRANCH_CREATED"
    assert (forked["type"], forked["sourceBranchId"], forked["ancestors"]) == ("BRANCH_FORKED", "main", {"0": "main"})
    assert (forked["fromMessageId"], forked["resolvedMessageIndex"]) == (expected[-1].id, len(expected) - 1)
    assert copies(log) == [(message.id, message.role, message.whole) for message in expected]
    parts = sum(2 + len(message.whole) for message in expected)
    assert len(log) == 2 + parts


async def test_a_fork_of_a_fork_stems_from_both_and_has_its_own_messages_to_fork_at(client: Client) -> None:
    session = await client.session()
    first, answer = await said(client, session, "One")
    _, later = await said(client, session, "Two")
    await fork(client, session, answer, "f1")
    asked, told = await said(client, session, "Three", "f1")

    inner = await fork(client, session, asked, "f2", of="f1")
    copied = await fork(client, session, first, "f3", of="f2")
    refused = await client.http.post(f"{client.path(session, 'f1')}/fork", json={"fromMessageId": later})

    assert inner["ancestors"] == {"0": "main", "1": "f1"}
    assert (inner["messageCount"], inner["forkedAtMessageIndex"], inner["forkedFrom"]) == (3, 2, "f1")
    assert copied["ancestors"] == {"0": "main", "1": "f1", "2": "f2"}
    assert [message for message, *_ in copies(await client.log(session, "f2"))] == [first, answer, asked]
    assert [message for message, *_ in copies(await client.log(session, "f3"))] == [first]
    assert (refused.status_code, refused.json()["code"]) == (400, "fork-message-not-present")
    for branch in ("main", "f1", "f2", "f3"):
        check_log(await client.log(session, branch))
    assert await history(client, session, "f2") == [first, answer, asked]
    assert told not in await history(client, session, "f2")


async def test_a_fork_of_thousands_of_messages_has_them_all_and_can_be_read_page_by_page(
    client: Client, store: RawStore
) -> None:
    talk = await Talk.begin(client)
    several = [{"messageId": f"m{number}", "text": f"number {number}"} for number in range(1500)]
    several[700]["text"] = several[701]["text"] = "x" * 700_000
    assert (await talk.post("inputs", {"type": "USER_MESSAGES_INPUT", "messages": several})).status_code == 202
    await talk.idle()

    whole = await fork(client, talk.session, "m1499", "whole")
    log = await client.log(talk.session, "whole")
    lines = await client.log_lines(talk.session, "whole")
    ranges = await store.ranges(talk.session, "whole")

    check_log(log)
    assert whole["messageCount"] == 1500
    assert [message for message, *_ in copies(log)] == [message["messageId"] for message in several]
    assert len(ranges) > len(log) // 1000 + 1
    assert [1, *(last + 1 for _, last in ranges)] == [*(first for first, _ in ranges), len(log) + 1]
    paged: list[str] = []
    for after in range(0, len(log), 900):
        query = f"?after={log[0]['eventId'].partition('.')[0]}.{after}&limit=900"
        paged += split_array(await client.log_text(talk.session, "whole", query=query))
    assert paged == lines
