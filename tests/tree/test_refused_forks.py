"""A fork that cannot be made changes nothing."""

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk
from tests.tree.branching import code_of, fork, said, shown, try_fork

MISSING = (400, "fork-message-not-present")
TABLES = ("sessions", "branches", "messages", "events", "branch_state", "session_state")


async def counted(store: RawStore) -> dict[str, int]:
    """Return how many rows there are."""
    return {table: (await store.run(f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES}


async def refused(client: Client, session: str, message: str, *, of: str = "main") -> None:
    """Try to fork, and make sure that it is refused and leaves nothing."""
    before = await client.log_text(session, of), await shown(client, f"/sessions/{session}/branches")

    response = await try_fork(client, session, message, "never", of=of)

    document = problem(response)
    assert code_of(response) == MISSING
    assert repr(message)[:50] in document["detail"]
    assert before == (await client.log_text(session, of), await shown(client, f"/sessions/{session}/branches"))


async def test_only_messages_of_the_branch_that_have_ended_can_be_forked_at(client: Client, store: RawStore) -> None:
    talk = await Talk.begin(client)
    session = talk.session
    await client.branch(session, "other")
    elsewhere, _ = await said(client, session, "Hi", "other")
    await talk.say("/subagent")
    asked = (await talk.asked())[0]
    nested = asked["request"]["callId"]
    log = await talk.log()
    calling = next(event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START")
    inside = next(event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START" and "metadata" in event)
    queued = await talk.say("Later", "queue")
    before = await counted(store)

    for message in ("msg_none", elsewhere, nested, calling, inside, queued["messageId"], "x" * 5000, "é", ".."):
        await refused(client, session, message)

    assert before == await counted(store)
    await talk.answer(asked, approved=True)
    await talk.idle()
    await refused(client, session, inside)
    assert (await fork(client, session, calling))["messageCount"] == 2
    assert (await fork(client, session, queued["messageId"]))["messageCount"] == 4


async def test_a_message_that_is_being_written_can_be_forked_at_as_soon_as_it_has_ended(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("/tokens 100000 5")
    log = await talk.logged(lambda event: event["type"] == "TEXT_DELTA")
    open_ = next(event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START")

    early = await try_fork(client, talk.session, open_, "early")
    await talk.interrupt()
    await talk.idle()
    late = await fork(client, talk.session, open_, "late")

    assert code_of(early) == MISSING
    assert (late["messageCount"], late["forkedAtMessageIndex"]) == (2, 1)


async def test_a_message_behind_the_fork_is_none_of_the_forks(client: Client) -> None:
    session = await client.session()
    first, _ = await said(client, session, "One")
    second, _ = await said(client, session, "Two")
    await fork(client, session, first, "f1")

    await refused(client, session, second, of="f1")
    later, _ = await said(client, session, "Three", "f1")
    await refused(client, session, later)


async def test_a_fork_is_checked_from_the_outside_in(client: Client) -> None:
    session = await client.session()
    message, _ = await said(client, session, "Hi")
    await fork(client, session, message, "taken")
    before = await client.log_text(session), await shown(client, f"/sessions/{session}/branches")
    good = {"fromMessageId": message}
    steps = [
        ("/agents/nobody/sessions/none/branches/none", {}, 404, "agent-not-found"),
        ("/agents/demo/sessions/none/branches/none", {}, 404, "session-not-found"),
        (f"/agents/demo/sessions/{session}/branches/none", {}, 404, "branch-not-found"),
        (f"/agents/demo/sessions/{session}/branches/main", {}, 400, "invalid-request"),
        (f"/agents/demo/sessions/{session}/branches/main", {**good, "newBranchId": "a/b"}, 400, "invalid-request"),
        (f"/agents/demo/sessions/{session}/branches/main", {**good, "zebra": 1}, 400, "unknown-member"),
        (f"/agents/demo/sessions/{session}/branches/main", {"fromMessageId": "none", "newBranchId": "taken"}, *MISSING),
        (f"/agents/demo/sessions/{session}/branches/main", {**good, "newBranchId": "taken"}, 409, "branch-exists"),
        (f"/agents/demo/sessions/{session}/branches/main", {**good, "newBranchId": "main"}, 409, "branch-exists"),
    ]

    answers = [await client.http.post(f"{path}/fork", json=body) for path, body, *_ in steps]

    assert [code_of(answer) for answer in answers] == [(status, code) for _, _, status, code in steps]
    assert before == (await client.log_text(session), await shown(client, f"/sessions/{session}/branches"))
