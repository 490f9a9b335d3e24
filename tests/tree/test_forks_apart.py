"""What happens to a branch does not touch its forks, nor what happens to them the branch."""

from typing import Any

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.interrupt.talk import Talk
from tests.tree.branching import fork, history, patch, said, shown, tree_updates, view

HARNESS = {"name": "page", "tools": [{"name": "read", "parametersSchema": {"type": "object"}}]}
CONTENT = [{"type": "text", "text": "three lines"}]


async def everything_of(client: Client, session: str, branch: str) -> tuple[Any, ...]:
    """Return all that is shown of a branch, its log byte for byte."""
    log = await client.log_text(session, branch)
    queue = await shown(client, f"/sessions/{session}/branches/{branch}/queue")
    return log, await view(client, session, branch), await shown(client, f"{client.path(session, branch)}/runs"), queue


async def test_continuing_interrupting_and_patching_a_branch_changes_nothing_in_its_fork(client: Client) -> None:
    talk = await Talk.begin(client)
    first, answer = await said(client, talk.session, "Hi")
    await fork(client, talk.session, answer, "f1")
    before = await everything_of(client, talk.session, "f1")

    await said(client, talk.session, "More")
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event.get("text") == "tok3 ")
    await talk.say("Instead", "interrupt")
    await talk.idle()
    await patch(client, talk.session, "main", name="another name", tags=["a"], metadata={"a": 1})
    await patch(client, talk.session, metadata={"a": 1})

    assert await everything_of(client, talk.session, "f1") == before
    assert await history(client, talk.session, "f1") == [first, answer]


async def test_continuing_interrupting_and_patching_a_fork_changes_nothing_in_its_source(client: Client) -> None:
    session = await client.session()
    first, answer = await said(client, session, "Hi")
    await fork(client, session, answer, "f1")
    before = await everything_of(client, session, "main")

    await said(client, session, "More", "f1")
    talk = Talk(client, session, "f1")
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event.get("text") == "tok3 ")
    await talk.say("Instead", "interrupt")
    await talk.idle()
    await patch(client, session, "f1", name="another name", description="a", metadata={"a": 1})

    assert await everything_of(client, session, "main") == before
    assert await history(client, session) == [first, answer]


async def test_what_is_kept_with_a_branch_is_copied_and_goes_its_own_way_and_the_session_has_one_for_all(
    client: Client,
) -> None:
    session = await client.session()

    async def keeps(branch: str, text: str = "What?") -> str:
        path = f"/agents/keeper/sessions/{session}/branches/{branch}/inputs"
        accepted = (await client.http.post(path, json={"text": text})).json()
        await client.ended(session, accepted["runtimeRunId"], branch)
        deltas = [event["text"] for event in await client.log(session, branch) if event["type"] == "TEXT_DELTA"]
        return str(deltas[-1])

    assert await keeps("main", "/keep one shared") == "one shared"
    message = [event["messageId"] for event in await client.log(session) if event["type"] == "TEXT_MESSAGE_START"][-1]
    await fork(client, session, message, "f1")
    told = [await keeps("f1"), await keeps("f1", "/keep two changed"), await keeps("main")]
    told += [await keeps("main", "/keep three again"), await keeps("f1")]

    assert told == ["one shared", "two changed", "one changed", "three again", "two again"]


async def test_the_clients_tools_are_known_in_a_fork_and_taken_away_in_it_alone(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("/client-tool", runConfig={"clientToolInput": {"clientToolHarnesses": [HARNESS]}})
    await talk.answer((await talk.asked())[0], content=CONTENT)
    log = await talk.idle()
    at = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"][-1]
    await fork(client, talk.session, at, "f1")
    forked = Talk(client, talk.session, "f1")

    await forked.say("/client-tool")
    await forked.answer((await forked.asked())[0], content=CONTENT, augmentation={"hideTools": ["read"]})
    await forked.idle()
    await forked.say("/client-tool")
    await forked.idle()
    await talk.say("/client-tool")
    asked = await talk.asked()
    await talk.answer(asked[0], content=CONTENT)
    await talk.idle()

    assert asked[0]["request"]["toolName"] == "read"
    assert "You have no tools" in "".join(event.get("text", "") for event in await forked.log())


async def test_a_choice_that_was_remembered_holds_in_all_branches_of_the_session(client: Client) -> None:
    talk = await Talk.begin(client)
    first, _ = await said(client, talk.session, "Hi")
    await fork(client, talk.session, first, "f1")
    forked = Talk(client, talk.session, "f1")

    await forked.say("/permission")
    await forked.answer((await forked.asked())[0], approved=True, choice="allow_always")
    await forked.idle()
    await talk.say("/permission")
    log = await talk.idle()

    decided = [event["reason"] for event in log if event["type"] == "PERMISSION_APPROVED"]
    assert decided == ["remembered"]


async def test_a_branch_that_asks_can_be_forked_and_goes_on(client: Client) -> None:
    talk = await Talk.begin(client)
    first, answer = await said(client, talk.session, "Hi")
    question = (await talk.say("/permission"))["messageId"]
    asked = (await talk.asked())[0]

    view = await fork(client, talk.session, question, "f1")
    await talk.answer(asked, approved=True)
    log = await talk.idle()

    assert view["messageCount"] == 3
    assert [event["type"] for event in log[log.index(tree_updates(log)[0]) :]][:3] == [
        "BRANCH_TREE_UPDATED",
        "PERMISSION_RESPONSE",
        "PERMISSION_APPROVED",
    ]
    await _only_begins(client, talk.session, "f1")
    assert await history(client, talk.session, "f1") == [first, answer, question]


async def test_a_branch_that_streams_can_be_forked_and_goes_on(client: Client) -> None:
    talk = await Talk.begin(client)
    first, answer = await said(client, talk.session, "Hi")
    running = (await talk.say("/tokens 100000 5"))["messageId"]
    await talk.logged(lambda event: event.get("text") == "tok9 ")

    views = [await fork(client, talk.session, at, f"f{number}") for number, at in enumerate((running, answer, running))]
    head = (await talk.log())[-1]["sequenceNumber"]
    await talk.logged(lambda event: event["type"] == "TEXT_DELTA" and event["sequenceNumber"] > head)
    await talk.interrupt()
    log = await talk.idle()

    assert [view["messageCount"] for view in views] == [3, 2, 3]
    assert [update["childBranches"] for update in tree_updates(log)] == [["f0"], ["f0", "f1"], ["f0", "f1", "f2"]]
    texts = [event["text"] for event in log if event.get("text", "").startswith("tok")]
    assert texts == [f"tok{index} " for index in range(len(texts))]
    for branch in ("f0", "f1", "f2"):
        await _only_begins(client, talk.session, branch)
    assert await history(client, talk.session, "f2") == [first, answer, running]


async def _only_begins(client: Client, session: str, branch: str) -> None:
    """Make sure that a branch has copies and nothing else."""
    log = await client.log(session, branch)
    check_log(log)
    copies = {"MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED"}
    assert {event["type"] for event in log} == {"BRANCH_CREATED", "BRANCH_FORKED"} | copies
    assert await shown(client, f"{client.path(session, branch)}/interactions") == []
    assert await shown(client, f"{client.path(session, branch)}/runs") == []
