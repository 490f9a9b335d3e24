"""What belongs to another tenant does not exist."""

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.raw_store import RawStore

MOVE = (
    "UPDATE events SET tenant = 'other' WHERE branch_key IN (SELECT key FROM branches WHERE session_id = 'moved')",
    "UPDATE runs SET tenant = 'other' WHERE branch_key IN (SELECT key FROM branches WHERE session_id = 'moved')",
    "UPDATE messages SET tenant = 'other' WHERE branch_key IN (SELECT key FROM branches WHERE session_id = 'moved')",
    "INSERT INTO sessions (tenant, id, created_at, last_activity, metadata)"
    " SELECT 'other', id, created_at, last_activity, metadata FROM sessions WHERE id = 'moved'",
    "UPDATE branches SET tenant = 'other' WHERE session_id = 'moved'",
    "DELETE FROM sessions WHERE id = 'moved' AND tenant = 'local'",
)


async def test_no_route_shows_or_changes_what_is_another_tenants(edge: Client, shared_url: str) -> None:
    session = await edge.session("moved")
    accepted = await edge.accepted(session, "hello")
    async with edge.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")

    await move_to_another_tenant(shared_url)

    for path in (
        "/sessions/moved",
        "/sessions/moved/branches",
        "/sessions/moved/branches/main",
        "/sessions/moved/branches/main/events",
        "/sessions/moved/branches/main/runs",
        "/sessions/moved/branches/main/runs/active",
        f"/sessions/moved/branches/main/runs/{accepted['runtimeRunId']}",
        "/agents/demo/sessions/moved/branches/main",
        "/agents/demo/sessions/moved/branches/main/events",
        "/agents/demo/sessions/moved/branches/main/events/live",
        "/agents/demo/sessions/moved/branches/main/runs",
        "/agents/demo/sessions/moved/branches/main/runs/active",
        f"/agents/demo/sessions/moved/branches/main/runs/{accepted['runtimeRunId']}",
    ):
        assert (path, problem(await edge.http.get(path))["code"]) == (path, "session-not-found")
    for path in ("/agents/demo/sessions/moved/branches", "/agents/demo/sessions/moved/branches/main/inputs"):
        response = await edge.http.post(path, json={"text": "a"})
        assert (path, problem(response)["code"]) == (path, "session-not-found")
    listed = (await edge.http.get("/sessions?limit=200")).json()
    assert "moved" not in {each["id"] for each in listed}
    assert await edge.session("moved") == "moved"
    assert len((await edge.http.get("/sessions/moved/branches")).json()) == 1
    assert len(await edge.log("moved")) == 1


async def move_to_another_tenant(database_url: str) -> None:
    """Hand the session `moved` and all that is in it to the tenant `other`, past the server."""
    store = RawStore(database_url)
    for statement in MOVE:
        await store.run(statement)
