"""A client's hands for branches: forks, what is shown of them, deletes."""

from typing import Any

import httpx

from tests.harness.client import Client
from tests.interrupt.talk import Talk

View = dict[str, Any]


async def try_fork(
    client: Client, session: str, message: str, new: str | None = None, *, of: str = "main", **members: Any
) -> httpx.Response:
    """Ask for a fork."""
    body = {"fromMessageId": message, **({} if new is None else {"newBranchId": new}), **members}
    return await client.http.post(f"{client.path(session, of)}/fork", json=body)


async def fork(client: Client, session: str, message: str, new: str | None = None, **members: Any) -> View:
    """Fork, which must be done, and return what is shown of the new branch."""
    response = await try_fork(client, session, message, new, **members)
    assert response.status_code == 201, response.text
    view: View = response.json()
    assert response.headers["location"] == f"/sessions/{session}/branches/{view['id']}"
    return view


async def said(client: Client, session: str, text: str, branch: str = "main") -> tuple[str, str]:
    """Say something, and return the ids of the message and of the last of its answer, once that is whole."""
    accepted = await client.accepted(session, text, branch)
    await client.ended(session, accepted["runtimeRunId"], branch)
    begun = [event for event in await client.log(session, branch) if event["type"] == "TEXT_MESSAGE_START"]
    return accepted["messageId"], begun[-1]["messageId"]


async def history(client: Client, session: str, branch: str = "main") -> list[str]:
    """Return the ids of the messages that the demo agent is given there, the question about them left out."""
    _, answer = await said(client, session, "/history", branch)
    log = await client.log(session, branch)
    deltas = [event["text"] for event in log if event["type"] == "TEXT_DELTA" and event["messageId"] == answer]
    head, _, ids = "".join(deltas).partition(" messages: ")
    given = ids.split()
    assert head == f"I was given {len(given)}"
    return given[:-1]


async def shown(client: Client, path: str) -> Any:
    """Return what a route shows."""
    response = await client.http.get(path)
    assert response.status_code == 200, (path, response.text)
    return response.json()


async def view(client: Client, session: str, branch: str = "main") -> View:
    """Return what is shown of a branch; all routes that show it must say the same."""
    by_session = await shown(client, f"/sessions/{session}/branches/{branch}")
    by_agent = await shown(client, client.path(session, branch))
    listed = await shown(client, f"/sessions/{session}/branches")
    assert [by_session, by_agent] == [each for each in listed if each["id"] == branch] * 2
    found: View = by_session
    return found


async def siblings(client: Client, session: str, branch: str = "main") -> list[View]:
    """Return a branch's siblings, which both routes must show alike."""
    by_session = await shown(client, f"/sessions/{session}/branches/{branch}/siblings")
    assert by_session == await shown(client, f"{client.path(session, branch)}/siblings")
    found: list[View] = by_session
    return found


async def tree(client: Client, session: str) -> list[View]:
    """Return the tree."""
    body = await shown(client, f"/sessions/{session}/tree")
    assert list(body) == ["branches"]
    found: list[View] = body["branches"]
    return found


async def delete(client: Client, session: str, branch: str | None = None, query: str = "") -> httpx.Response:
    """Delete a branch, or without one the session."""
    of_branch = "" if branch is None else f"/branches/{branch}"
    return await client.http.delete(f"/sessions/{session}{of_branch}{query}")


async def patch(client: Client, session: str, branch: str | None = None, **members: Any) -> View:
    """Change a branch, or without one the session, which must be done, and return what is shown of it."""
    of_branch = "" if branch is None else f"/branches/{branch}"
    response = await client.http.patch(f"/sessions/{session}{of_branch}", json=members)
    assert response.status_code == 200, response.text
    changed: View = response.json()
    return changed


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return response.status_code, response.json()["code"]


def tree_updates(log: list[View]) -> list[View]:
    """Return what a log tells of its branch's place."""
    return [event for event in log if event["type"] == "BRANCH_TREE_UPDATED"]


def on(talk: Talk, branch: str) -> Talk:
    """Return the same talk on another branch of its session."""
    return Talk(talk.client, talk.session, branch)
