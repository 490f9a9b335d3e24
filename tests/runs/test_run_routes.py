"""The routes that show runs."""

import pytest

from tests.harness.client import Client

SCOPES = ["/sessions/{session}/branches/main", "/agents/demo/sessions/{session}/branches/main"]


@pytest.mark.parametrize("scope", SCOPES)
async def test_runs_are_listed_in_order_and_shown_one_by_one(client: Client, scope: str) -> None:
    session = await client.session()
    ids = []
    for text in ("one", "/fail", "three"):
        ids.append((await client.accepted(session, text))["runtimeRunId"])
        await client.ended(session, ids[-1])
    path = scope.format(session=session)

    listed = (await client.http.get(f"{path}/runs")).json()
    shown = [(await client.http.get(f"{path}/runs/{run_id}")).json() for run_id in ids]

    assert [run["runtimeRunId"] for run in listed] == ids
    assert listed == shown
    assert [run["status"] for run in listed] == ["completed", "failed", "completed"]
    assert [set(run) - {"error"} for run in listed] == [
        {"runtimeRunId", "agentId", "sessionId", "branchId", "status", "startedAt", "completedAt"}
    ] * 3
    assert [run["runtimeRunId"] for run in listed if "error" in run] == [ids[1]]


@pytest.mark.parametrize("scope", SCOPES)
async def test_the_active_run_is_shown_while_there_is_one_and_null_otherwise(client: Client, scope: str) -> None:
    session = await client.session()
    path = scope.format(session=session) + "/runs/active"

    before = await client.http.get(path)
    accepted = await client.accepted(session, "/tokens 200 10")
    during = await client.http.get(path)
    await client.ended(session, accepted["runtimeRunId"])
    after = await client.http.get(path)

    assert (before.status_code, before.text) == (200, "null")
    assert (during.json()["runtimeRunId"], during.json()["status"]) == (accepted["runtimeRunId"], "active")
    assert "completedAt" not in during.json()
    assert (after.status_code, after.text) == (200, "null")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/sessions/{session}/branches/main/runs/run_unknown", "run-not-found"),
        ("/agents/demo/sessions/{session}/branches/main/runs/run_unknown", "run-not-found"),
        ("/sessions/{session}/branches/none/runs", "branch-not-found"),
        ("/sessions/{session}/branches/none/runs/active", "branch-not-found"),
        ("/sessions/{session}/branches/none/runs/run_unknown", "branch-not-found"),
        ("/sessions/none/branches/main/runs", "session-not-found"),
        ("/agents/demo/sessions/none/branches/none/runs/active", "session-not-found"),
        ("/agents/none/sessions/none/branches/none/runs", "agent-not-found"),
        ("/agents/none/sessions/{session}/branches/main/runs/active", "agent-not-found"),
        ("/agents/none/sessions/{session}/branches/main/runs/run_unknown", "agent-not-found"),
    ],
)
async def test_what_is_not_there_is_a_problem_document(client: Client, path: str, code: str) -> None:
    session = await client.session()

    response = await client.http.get(path.format(session=session))

    assert (response.status_code, response.json()["code"]) == (404, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_run_of_another_branch_is_not_found(client: Client) -> None:
    session = await client.session()
    other = await client.branch(session, "other")
    run_id = (await client.accepted(session, "Hi"))["runtimeRunId"]

    response = await client.http.get(f"{client.path(session, other)}/runs/{run_id}")

    assert (response.status_code, response.json()["code"]) == (404, "run-not-found")
