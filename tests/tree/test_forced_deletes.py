"""A delete that is forced interrupts what runs first, and whoever follows sees how that ended."""

import asyncio

import pytest

from tests.harness.client import Client
from tests.harness.feed import Frame
from tests.harness.order import check_log
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk
from tests.tree.branching import code_of, delete, fork, said, tree
from tests.tree.left import rows_of

INTERRUPTED = {"INTERRUPTION_HANDLED", "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"}


async def forked(client: Client) -> Talk:
    """Begin a conversation on a fork."""
    session = await client.session()
    message, _ = await said(client, session, "Hi")
    await fork(client, session, message, "f1")
    return Talk(client, session, "f1")


async def forced(talk: Talk, branch: str | None, query: str = "?force=true") -> list[Frame]:
    """Delete by force, and return the frames that a follower has seen of the talk's branch, up to the stream's end."""
    position = (await talk.log())[0]["eventId"]
    async with talk.client.feed(talk.session, talk.branch, after=position) as feed:
        response = await delete(talk.client, talk.session, branch, query)
        frames = [frame for frame in await feed.to_end() if frame.data is not None]
    assert response.status_code == 204, response.text
    return frames


def ended(frames: list[Frame]) -> list[str]:
    """Return the types of the events behind the interrupt, which must be in order and end with the farewell."""
    *events, farewell = [frame.json for frame in frames]
    created = {"type": "BRANCH_CREATED", "eventId": events[0]["eventId"].partition(".")[0] + ".1", "sequenceNumber": 1}
    check_log([created, *events])
    assert (farewell["type"], farewell["reason"]) == ("STREAM_CLOSING", "deleted")
    assert "retryMs" not in farewell
    assert events[-1]["cancelled"] is True
    assert events[-1]["reason"] == "The branch is being deleted."
    kinds = [event["type"] for event in events]
    return kinds[kinds.index("INTERRUPTION_HANDLED") :]


@pytest.mark.parametrize(("branch", "query"), [("f1", "?force=true"), (None, "?force=true")], ids=["branch", "session"])
async def test_a_stream_is_interrupted_before_its_branch_goes(
    client: Client, store: RawStore, branch: str | None, query: str
) -> None:
    talk = await forked(client)
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event.get("text") == "tok3 ")

    frames = await forced(talk, branch, query)

    assert ended(frames) == [
        "INTERRUPTION_HANDLED",
        "TEXT_MESSAGE_END",
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
    ]
    left = await rows_of(store, talk.session)
    assert (left["branches"], left["runs"]) == ((0, 0) if branch is None else (1, 1))


async def test_a_run_that_asks_is_interrupted_before_its_branch_goes(client: Client, store: RawStore) -> None:
    talk = await forked(client)
    await talk.say("/parallel")
    asked = await talk.asked(3)

    frames = await forced(talk, "f1")
    late = await talk.post("responses", {"type": "PERMISSION_RESPONSE", "permissionId": asked[0]["requestId"]})

    assert ended(frames)[1:4] == ["AGENT_REQUEST_CANCELLED"] * 3
    assert code_of(late) == (404, "branch-not-found")
    assert (await rows_of(store, talk.session))["interactions"] == 0


async def test_what_waits_is_removed_before_its_branch_goes_and_never_runs(client: Client, store: RawStore) -> None:
    talk = await forked(client)
    running = await talk.say("/permission")
    await talk.asked()
    queued = [(await talk.say(f"number {number}", "queue"))["runtimeRunId"] for number in range(3)]

    frames = await forced(talk, "f1")

    events = [frame.json for frame in frames[:-1]]
    check_log(
        [{"type": "BRANCH_CREATED", "eventId": f"{events[0]['eventId'].split('.')[0]}.1", "sequenceNumber": 1}, *events]
    )
    completed = {event["runtimeRunId"]: event for event in events if event["type"] == "BRANCH_RUN_COMPLETED"}
    assert list(completed) == [*queued, running["runtimeRunId"]]
    assert {event["status"] for event in completed.values()} == {"cancelled"}
    started = [event["runtimeRunId"] for event in events if event["type"] == "BRANCH_RUN_STARTED"]
    assert started == [running["runtimeRunId"]]
    assert (await rows_of(store, talk.session))["runs"] == 1


async def test_a_subtree_goes_by_force_with_all_that_runs_in_it(client: Client, store: RawStore) -> None:
    talk = await forked(client)
    message = next(event["messageId"] for event in await talk.log() if event["type"] == "MESSAGE_STARTED")
    inner = []
    for name, source in (("f2", "f1"), ("f3", "f2")):
        await fork(client, talk.session, message, name, of=source)
        inner.append(Talk(client, talk.session, name))
    await talk.say("/tokens 100000 5")
    await inner[0].say("/permission")
    await inner[1].say("/slow 400")
    await inner[1].say("behind it", "queue")

    frames = await forced(inner[0], "f1", "?force=true&recursive=true")

    assert set(ended(frames)) >= INTERRUPTED
    assert [branch["branchId"] for branch in await tree(client, talk.session)] == ["main"]
    assert (await rows_of(store, talk.session))["runs"] == 1


async def test_an_agent_that_does_not_hear_is_not_waited_for_for_ever(client: Client, store: RawStore) -> None:
    talk = await forked(client)
    path = f"/agents/deaf/sessions/{talk.session}/branches/f1/inputs"
    assert (await client.http.post(path, json={"text": "Hi"})).status_code == 202
    await talk.logged(lambda event: event["type"] == "TEXT_DELTA")

    frames = await forced(talk, "f1")

    assert set(ended(frames)) >= INTERRUPTED
    assert (await rows_of(store, talk.session))["branches"] == 1
    assert (await client.session()) != talk.session


async def test_force_finds_nothing_to_interrupt_where_nothing_runs(client: Client) -> None:
    talk = await forked(client)

    frames = await forced(talk, "f1")

    assert [frame.json["type"] for frame in frames][-1:] == ["STREAM_CLOSING"]
    assert "INTERRUPTION_HANDLED" not in {frame.json["type"] for frame in frames}


async def test_of_three_who_delete_a_session_at_once_one_does_and_other_sessions_go_on(client: Client) -> None:
    talk, other = await forked(client), await forked(client)
    await talk.say("/tokens 100000 5")
    await other.say("/tokens 100000 5")

    responses = await asyncio.gather(*(delete(client, talk.session, query="?force=true") for _ in range(3)))

    assert sorted(response.status_code for response in responses) == [204, 404, 404]
    head = (await other.log())[-1]["sequenceNumber"]
    await other.logged(lambda event: event["type"] == "TEXT_DELTA" and event["sequenceNumber"] > head)
    await other.interrupt()
    await other.idle()
