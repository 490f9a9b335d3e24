"""Branches are deleted: which may be, what goes with them, and what is left."""

from collections.abc import Callable

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk
from tests.tree.branching import code_of, delete, fork, said, shown, siblings, tree, tree_updates
from tests.tree.left import rows_of

ACTIVE = (409, "branch-run-active")
NONE_OF_A_BRANCH = {"runs", "messages", "interactions", "branch_state"}


async def grown(client: Client) -> tuple[str, str]:
    """Grow main > a > (a1 > a2, a3), main > b, and return the session and the message that all were forked at."""
    session = await client.session()
    message, _ = await said(client, session, "Hi")
    for name, source in (("a", "main"), ("b", "main"), ("a1", "a"), ("a2", "a1"), ("a3", "a")):
        await fork(client, session, message, name, of=source)
    return session, message


async def names(client: Client, session: str) -> list[str]:
    """Return the branches in order of creation."""
    return [branch["branchId"] for branch in await tree(client, session)]


async def test_main_is_protected_whatever_is_asked(client: Client) -> None:
    session, _ = await grown(client)

    answers = [await delete(client, session, "main", query) for query in ("", "?recursive=true", "?force=true")]

    assert {code_of(answer) for answer in answers} == {(400, "protected-branch")}
    assert len(await names(client, session)) == 6


async def test_a_branch_with_forks_is_not_deleted_alone_and_they_are_named(client: Client) -> None:
    session, message = await grown(client)
    before = await client.log_text(session), await client.log_text(session, "a")

    refused = await delete(client, session, "a")
    forced = await delete(client, session, "a1", "?force=true")
    for number in range(5):
        await fork(client, session, message, f"more{number}", of="b")
    many = await delete(client, session, "b")

    assert code_of(refused) == code_of(forced) == code_of(many) == (400, "has-children")
    assert "a1, a3;" in problem(refused)["detail"]
    assert "more0, more1, more2, more3, more4;" in problem(many)["detail"]
    assert before == (await client.log_text(session), await client.log_text(session, "a"))
    await fork(client, session, message, "more5", of="b")
    assert "more4, ...;" in problem(await delete(client, session, "b"))["detail"]


async def test_a_branch_goes_with_all_that_stems_from_it_and_nothing_else_does(client: Client, store: RawStore) -> None:
    session, _ = await grown(client)
    await said(client, session, "/tool", "a2")
    await said(client, session, "/keep", "a3")
    sibling = await client.log_text(session, "b")
    before = await rows_of(store, session)

    gone = await delete(client, session, "a", "?recursive=true")
    rows = await rows_of(store, session)

    assert (gone.status_code, gone.content) == (204, b"")
    assert await names(client, session) == ["main", "b"]
    assert [each["id"] for each in await siblings(client, session, "b")] == ["main", "b"]
    assert sibling == await client.log_text(session, "b")
    log = await client.log(session)
    assert tree_updates(log)[-1]["childBranches"] == ["b"]
    check_log(log)
    assert (before["branches"], rows["branches"], before["runs"], rows["runs"]) == (6, 2, 3, 1)
    assert rows["messages"] == 2 + 1
    for branch in ("a", "a1", "a2", "a3"):
        assert code_of(await client.http.get(f"/sessions/{session}/branches/{branch}")) == (404, "branch-not-found")
        assert code_of(await delete(client, session, branch)) == (404, "branch-not-found")
    assert (await delete(client, session, "b", "?recursive=true")).status_code == 204


async def test_a_leaf_and_an_original_are_deleted_alone(client: Client, store: RawStore) -> None:
    session, _ = await grown(client)
    await client.branch(session, "beside")
    before = await client.log_text(session)

    answers = [await delete(client, session, "beside"), await delete(client, session, "a2")]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert before == await client.log_text(session)
    assert tree_updates(await client.log(session, "a1"))[-1]["childBranches"] == []
    assert await names(client, session) == ["main", "a", "b", "a1", "a3"]
    assert (await rows_of(store, session))["branches"] == 5


async def test_a_server_may_refuse_to_delete_branches_with_their_forks(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    async with Client(make_server(sqlite_url, recursive_delete=False).start().url) as client:
        session, _ = await grown(client)

        with_forks = await delete(client, session, "a", "?recursive=true")
        alone = await delete(client, session, "a")
        protected = await delete(client, session, "main", "?recursive=true")
        missing = await delete(client, session, "none", "?recursive=true")
        leaf = await delete(client, session, "a2", "?recursive=true")
        whole = [await delete(client, session, "a2"), await delete(client, session)]

    assert code_of(with_forks) == code_of(leaf) == (400, "recursive-delete-disabled")
    assert code_of(alone) == (400, "has-children")
    assert code_of(protected) == (400, "protected-branch")
    assert code_of(missing) == (404, "branch-not-found")
    assert [answer.status_code for answer in whole] == [204, 204]


async def test_what_runs_waits_or_asks_keeps_a_branch_and_its_session(client: Client) -> None:
    talk = await Talk.begin(client)
    session = talk.session
    message, _ = await said(client, session, "Hi")
    await fork(client, session, message, "f1")
    await fork(client, session, message, "f2", of="f1")
    inner = Talk(client, session, "f2")
    await inner.say("/permission")
    asked = (await inner.asked())[0]
    queued = await inner.say("Later", "queue")
    before = await inner.log()

    refused = [
        await delete(client, session, "f2"),
        await delete(client, session, "f1", "?recursive=true"),
        await delete(client, session),
    ]

    assert {code_of(each) for each in refused} == {ACTIVE}
    assert "'f2'" in problem(refused[1])["detail"]
    assert before == await inner.log()
    assert await inner.queue() != []
    await inner.answer(asked, approved=True)
    await inner.idle()
    assert (await client.run(session, queued["runtimeRunId"], "f2"))["status"] == "completed"
    assert (await delete(client, session, "f1", "?recursive=true")).status_code == 204
    assert await shown(client, f"/sessions/{session}/branches/main/siblings") != []


async def test_a_branch_that_is_deleted_and_made_again_is_another_one(client: Client, store: RawStore) -> None:
    session, message = await grown(client)
    _, answer = await said(client, session, "/tool", "b")
    old = await client.position(session, "b")

    assert (await delete(client, session, "b")).status_code == 204
    again = await fork(client, session, message, "b", name="New")

    log = await client.log(session, "b")
    assert log[0]["eventId"].partition(".")[0] != old.partition(".")[0]
    assert (again["messageCount"], again["name"]) == (1, "New")
    assert await shown(client, f"{client.path(session, 'b')}/runs") == []
    paged = await client.http.get(f"/sessions/{session}/branches/b/events?after={old}&limit=5")
    assert code_of(paged) == (400, "invalid-position")
    async with client.feed(session, "b", last_event_id=old) as feed:
        reset = await feed.event()
        assert reset is not None
        await client.accepted(session, "Hello again", "b")
        following = await feed.event()
    assert (reset.json["type"], reset.json["reason"], reset.id) == ("STREAM_RESET", "foreign", log[-1]["eventId"])
    assert following is not None
    assert following.json["type"] == "BRANCH_RUN_STARTED"
    refused = await client.http.post(f"{client.path(session, 'b')}/fork", json={"fromMessageId": answer})
    assert code_of(refused) == (400, "fork-message-not-present")


async def test_words_that_are_no_truth_are_refused(client: Client) -> None:
    session, _ = await grown(client)

    for query in ("?force=perhaps", "?recursive=2", "?force="):
        response = await delete(client, session, "b", query)
        assert (query, problem(response)["code"]) == (query, "invalid-request")
    assert "b" in await names(client, session)
