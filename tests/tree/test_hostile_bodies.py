"""Nothing that can stand in the body of a fork, a patch or a search gets past the edge, or shakes the server."""

from collections.abc import Iterable

from tests.edge.bodies import Hostile
from tests.edge.problem import problem
from tests.edge.rows import TABLES, count_rows
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.tree import hostile
from tests.tree.branching import fork, patch, said, shown

QUICK_CPU_SECONDS = 1.0


async def test_hostile_bodies_change_nothing(sqlite_client: Client, sqlite_server: ServerProcess) -> None:
    client = sqlite_client
    session = await client.session()
    message, _ = await said(client, session, "Hi")
    before = await count_rows(sqlite_server.database_url, TABLES), await shown(client, f"/sessions/{session}")
    log = await client.log_text(session)
    routes: list[tuple[str, str, Iterable[Hostile]]] = [
        ("POST", f"{client.path(session)}/fork", hostile.forks()),
        ("PATCH", f"/sessions/{session}/branches/main", hostile.branch_patches()),
        ("PATCH", f"/sessions/{session}", hostile.session_patches()),
        ("POST", "/sessions/search", hostile.searches()),
    ]

    wrong, tried = [], []
    for method, path, bodies in routes:
        for each in bodies:
            tried.append((path, each.name))
            if why := await _what_is_wrong(client, sqlite_server, method, path, each):
                wrong.append(f"{method} {path} {each.name}: {why}")

    assert wrong == []
    assert len(tried) > 400
    assert before == (
        await count_rows(sqlite_server.database_url, TABLES),
        await shown(client, f"/sessions/{session}"),
    )
    assert log == await client.log_text(session)
    assert (await fork(client, session, message))["messageCount"] == 1
    assert (await patch(client, session, metadata={"a": 1}))["metadata"] == {"a": 1}


async def test_a_body_of_a_patch_may_be_nothing_at_all(sqlite_client: Client) -> None:
    session = await sqlite_client.session()

    answers = [await sqlite_client.http.patch(f"/sessions/{session}{rest}") for rest in ("", "/branches/main")]

    assert [answer.status_code for answer in answers] == [200, 200]


async def _what_is_wrong(client: Client, server: ServerProcess, method: str, path: str, hostile: Hostile) -> str:
    before = server.cpu_seconds()
    response = await client.http.request(method, path, content=hostile.body, headers=hostile.headers)
    seconds = server.cpu_seconds() - before
    if not 400 <= response.status_code < 500:
        return f"{response.status_code} {response.text[:200]}"
    document = problem(response)
    if document["code"] != hostile.code:
        return f"{document['code']} instead of {hostile.code}: {document['detail']}"
    if hostile.names not in document["detail"]:
        return f"does not name {hostile.names}: {document['detail']}"
    return f"took {seconds:.1f} s" if seconds > QUICK_CPU_SECONDS else ""
