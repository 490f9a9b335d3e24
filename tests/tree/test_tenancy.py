"""What belongs to another tenant is not forked, not changed, not found and not deleted."""

from tests.edge.problem import problem
from tests.edge.test_tenancy import move_to_another_tenant
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.tree.branching import fork, said, shown
from tests.tree.left import rows_of


async def test_the_routes_of_the_tree_know_nothing_of_another_tenants_sessions(
    client: Client, server: ServerProcess, store: RawStore
) -> None:
    response = await client.http.post("/sessions", json={"sessionId": "moved", "metadata": {"a": "secret"}})
    session = response.json()["id"]
    message, _ = await said(client, session, "Hi")
    await fork(client, session, message, "f1")

    await move_to_another_tenant(server.database_url)
    before = await rows_of(store, session)

    requests = [
        ("GET", "/sessions/moved/tree", None),
        ("GET", "/sessions/moved/branches/f1/siblings", None),
        ("GET", "/agents/demo/sessions/moved/branches/f1/siblings", None),
        ("POST", "/agents/demo/sessions/moved/branches/main/fork", {"fromMessageId": message}),
        ("PATCH", "/sessions/moved", {"metadata": {"a": None}}),
        ("PATCH", "/sessions/moved/branches/f1", {"name": "mine"}),
        ("DELETE", "/sessions/moved/branches/f1", None),
        ("DELETE", "/sessions/moved/branches/main?recursive=true&force=true", None),
        ("DELETE", "/sessions/moved?force=true", None),
    ]
    for method, path, body in requests:
        answer = await client.http.request(method, path, json=body)
        assert (path, problem(answer)["code"]) == (path, "session-not-found")
    found = (await client.http.post("/sessions/search", json={"metadata": {"a": "secret"}})).json()
    assert found == []
    assert before == await rows_of(store, session)

    own = await client.session("moved")
    at, _ = await said(client, own, "Hi")
    assert (await client.http.post(f"{client.path(own)}/fork", json={"fromMessageId": message})).status_code == 400
    await fork(client, own, at, "f1")
    assert [branch["children"] for branch in (await shown(client, f"/sessions/{own}/tree"))["branches"]] == [["f1"], []]
    assert (await client.http.delete("/sessions/moved")).status_code == 204
    assert before == await rows_of(store, session)
