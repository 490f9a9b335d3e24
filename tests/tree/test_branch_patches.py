"""What a client says of a branch changes, and the branch's log tells it."""

import asyncio
from typing import Any

import pytest

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.interrupt.talk import Talk
from tests.tree.branching import fork, patch, said, shown, view

COMMON = {"version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId", "kind"}


async def last_told(client: Client, session: str, branch: str = "main") -> dict[str, Any]:
    """Return what the last event of a log says of its branch."""
    event = (await client.log(session, branch))[-1]
    assert (event["type"], event["kind"]) == ("BRANCH_METADATA_UPDATED", "lifecycle")
    return {name: value for name, value in event.items() if name not in COMMON}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "A name"}, {"name": "A name"}),
        ({"description": "What it is for"}, {"description": "What it is for"}),
        ({"tags": ["b", "a", "b"]}, {"tags": ["b", "a", "b"]}),
        ({"tags": []}, {"tags": []}),
        ({"metadata": {"new": {"x": [1]}, "gone": None}}, {"branchMetadata": {"kept": 1, "new": {"x": [1]}}}),
        ({"metadata": {}}, {"branchMetadata": {"kept": 1, "gone": 2}}),
        ({"name": "Both", "metadata": {"kept": 2}}, {"name": "Both", "branchMetadata": {"kept": 2, "gone": 2}}),
        ({"name": "n" * 100, "tags": None, "description": None, "metadata": None}, {"name": "n" * 100}),
    ],
)
async def test_what_is_given_changes_and_is_told_and_all_else_stays(
    client: Client, given: dict[str, Any], told: dict[str, Any]
) -> None:
    session = await client.session()
    body = {"branchId": "b", "name": "Old", "description": "Long ago", "tags": ["old"]}
    body |= {"metadata": {"kept": 1, "gone": 2}}  # type: ignore[dict-item]
    created = (await client.http.post(f"/agents/demo/sessions/{session}/branches", json=body)).json()

    patched = await patch(client, session, "b", **given)

    renamed = {"branchMetadata": "metadata"}
    changed = {renamed.get(name, name): value for name, value in told.items()}
    if len(changed.get("name", "")) > 30:
        changed["name"] = "n" * 27 + "..."
    assert patched == {**created, **changed, "lastActivity": patched["lastActivity"]}
    assert patched["lastActivity"] > created["lastActivity"]
    assert patched == await view(client, session, "b")
    assert await last_told(client, session, "b") == told
    check_log(await client.log(session, "b"))


async def test_a_patch_that_says_nothing_is_told_to_nobody_but_counts_as_activity(client: Client) -> None:
    session, other = await client.session(), await client.session()
    before = await view(client, session)

    for body in ({}, {"name": None, "description": None, "tags": None, "metadata": None}):
        after = await patch(client, session, "main", **body)
        assert after["lastActivity"] > before["lastActivity"]
        assert after == {**before, "lastActivity": after["lastActivity"]}

    assert len(await client.log(session)) == 1
    newest = [each["id"] for each in await shown(client, "/sessions?limit=2")]
    assert newest == [session, other]


async def test_metadata_of_a_branch_that_has_none_begins_with_what_is_given(client: Client) -> None:
    session = await client.session()

    told = await patch(client, session, "main", metadata={"a": None, "b": 1})
    gone = await patch(client, session, "main", metadata={"b": None})

    assert (told["metadata"], gone["metadata"]) == ({"b": 1}, {})


async def test_patches_at_once_and_while_a_run_goes_on_lose_nothing(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event["type"] == "TEXT_DELTA")

    await asyncio.gather(*(patch(client, talk.session, "main", metadata={f"k{n}": n}) for n in range(20)))
    await talk.interrupt()
    log = await talk.idle()

    assert (await view(client, talk.session))["metadata"] == {f"k{n}": n for n in range(20)}
    told = [event["branchMetadata"] for event in log if event["type"] == "BRANCH_METADATA_UPDATED"]
    assert [len(each) for each in told] == list(range(1, 21))


async def test_a_fork_has_its_own_words_and_none_of_its_sources(client: Client) -> None:
    session = await client.session()
    message, _ = await said(client, session, "Hi")
    await patch(client, session, "main", description="d", tags=["t"], metadata={"a": 1})

    named = await fork(client, session, message, "f1", name="N", description="D", tags=["T"], metadata={"b": 2})
    plain = await fork(client, session, message, "f2")

    assert [named[name] for name in ("name", "description", "tags", "metadata")] == ["N", "D", ["T"], {"b": 2}]
    created = (await client.log(session, "f1"))[0]
    told = [created[name] for name in ("name", "description", "tags", "branchMetadata")]
    assert told == ["N", "D", ["T"], {"b": 2}]
    assert {"description", "tags", "metadata"} & plain.keys() == set()


async def test_what_is_not_there_is_not_patched(client: Client) -> None:
    session = await client.session()
    here = f"/sessions/{session}/branches"
    steps = [
        ("/sessions/none/branches/main", b"[", "session-not-found"),
        (f"{here}/none", b"[", "branch-not-found"),
        (f"{here}/main", b"[", "invalid-request"),
        (f"{here}/main", b'{"branchId":"a"}', "unknown-member"),
    ]

    codes = [problem(await client.http.patch(path, content=body))["code"] for path, body, _ in steps]

    assert codes == [code for *_, code in steps]
    assert len(await client.log(session)) == 1
