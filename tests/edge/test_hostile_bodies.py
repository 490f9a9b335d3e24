"""Nothing that a client can put into a body gets past the edge, or shakes the server."""

from collections.abc import Iterable
from itertools import pairwise

import httpx

from tests.edge import bodies
from tests.edge.bodies import Hostile
from tests.edge.problem import problem
from tests.edge.rows import MADE_BY_REQUESTS, count_rows
from tests.harness.client import Client
from tests.harness.process import ServerProcess

QUICK_CPU_SECONDS = 1.0
LONGEST_ECHO = 100


async def test_hostile_bodies_create_no_session(edge: Client, shared_server: ServerProcess) -> None:
    before = await count_rows(shared_server.database_url, MADE_BY_REQUESTS)

    wrong = await refusals(edge, shared_server, "/sessions", bodies.sessions())

    assert wrong == []
    assert before == await count_rows(shared_server.database_url, MADE_BY_REQUESTS)
    assert await edge.session()


async def test_hostile_bodies_create_no_branch(edge: Client, shared_server: ServerProcess) -> None:
    session = await edge.session()
    before = await count_rows(shared_server.database_url, MADE_BY_REQUESTS)

    wrong = await refusals(edge, shared_server, f"/agents/demo/sessions/{session}/branches", bodies.branches())

    assert wrong == []
    assert before == await count_rows(shared_server.database_url, MADE_BY_REQUESTS)
    assert await edge.branch(session, "b1") == "b1"


async def test_hostile_bodies_start_no_run(edge: Client, shared_server: ServerProcess) -> None:
    session = await edge.session()
    before = await count_rows(shared_server.database_url, MADE_BY_REQUESTS)
    log_before = await edge.log_text(session)

    wrong = await refusals(edge, shared_server, f"{edge.path(session)}/inputs", bodies.inputs())

    assert wrong == []
    assert before == await count_rows(shared_server.database_url, MADE_BY_REQUESTS)
    assert log_before == await edge.log_text(session)
    assert (await edge.accepted(session, "still there?"))["status"] == "active"


async def test_there_are_more_than_thirty_hostile_bodies_for_each_route() -> None:
    for route in (bodies.sessions(), bodies.branches(), bodies.inputs()):
        assert len({hostile.name for hostile in route}) > 60


async def refusals(client: Client, server: ServerProcess, path: str, hostiles: Iterable[Hostile]) -> list[str]:
    """Post each body; return what was not as it should be."""
    wrong: list[str] = []
    for hostile in hostiles:
        before = server.cpu_seconds()
        why = await _what_is_wrong(client, path, hostile)
        seconds = server.cpu_seconds() - before
        if why or seconds > QUICK_CPU_SECONDS:
            wrong.append(f"{hostile.name}: {why or f'took {seconds:.1f} s'}")
    return wrong


async def _what_is_wrong(client: Client, path: str, hostile: Hostile) -> str:
    response = await client.http.post(path, content=hostile.body, headers=hostile.headers)
    if not 400 <= response.status_code < 500:
        return f"{response.status_code} {response.text[:200]}"
    document = problem(response)
    if document["code"] != hostile.code:
        return f"{document['code']} instead of {hostile.code}: {document['detail']}"
    if hostile.names not in document["detail"]:
        return f"does not name {hostile.names}: {document['detail']}"
    if _echoes(hostile.body, response):
        return f"says back more than {LONGEST_ECHO} characters: {document['detail']}"
    return ""


def _echoes(body: bytes, response: httpx.Response) -> bool:
    """Say whether one character stands in the detail more often in a row than may be said back."""
    if len(body) < 2000:
        return False
    longest = run = 1
    for before, after in pairwise(response.json()["detail"]):
        run = run + 1 if before == after else 1
        longest = max(longest, run)
    return longest > LONGEST_ECHO
