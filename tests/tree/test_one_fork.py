"""The thinnest line through a fork: made over HTTP, seen in both logs and in the tree, and talked to."""

from typing import Any

from tests.harness.client import Client


async def test_a_fork_begins_with_the_messages_up_to_the_one_named_and_goes_its_own_way(client: Client) -> None:
    session = await client.session()
    first = await _said(client, session, "Hello")
    await _said(client, session, "/tool")
    answer = next(event for event in await client.log(session) if event["type"] == "TEXT_MESSAGE_START")["messageId"]

    response = await client.http.post(
        f"{client.path(session)}/fork", json={"fromMessageId": answer, "newBranchId": "other"}
    )
    log = await client.log(session, "other")
    source = (await client.log(session))[-1]
    await _said(client, session, "/history", "other")

    assert response.status_code == 201
    assert response.headers["location"] == f"/sessions/{session}/branches/other"
    assert response.json()["ancestors"] == {"0": "main"}
    assert [(event["type"], event.get("messageId")) for event in log] == [
        ("BRANCH_CREATED", None),
        ("BRANCH_FORKED", None),
        ("MESSAGE_STARTED", first),
        ("CONTENT_ADDED", first),
        ("MESSAGE_COMPLETED", first),
        ("MESSAGE_STARTED", answer),
        ("CONTENT_ADDED", answer),
        ("MESSAGE_COMPLETED", answer),
    ]
    assert (source["type"], source["childBranches"]) == ("BRANCH_TREE_UPDATED", ["other"])
    assert [branch["children"] for branch in (await _tree(client, session))] == [["other"], []]
    told = "".join(event.get("text", "") for event in await client.log(session, "other"))
    assert told.startswith(f"I was given 3 messages: {first} {answer}")


async def _said(client: Client, session: str, text: str, branch: str = "main") -> str:
    accepted = await client.accepted(session, text, branch)
    await client.ended(session, accepted["runtimeRunId"], branch)
    return str(accepted["messageId"])


async def _tree(client: Client, session: str) -> list[dict[str, Any]]:
    response = await client.http.get(f"/sessions/{session}/tree")
    branches: list[dict[str, Any]] = response.json()["branches"]
    return branches
