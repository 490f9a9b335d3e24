"""Nothing that a client can put into an answer settles a question by mistake, or shakes the server."""

import httpx

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.conversation import conversation, id_of
from tests.harness.process import ServerProcess
from tests.interactions.hostile_answers import Hostile, hostile_answers
from tests.interactions.unchanged import nothing_changes


async def test_hostile_answers_are_refused_and_change_nothing(server: ServerProcess, client: Client) -> None:
    logged_before = server.errors.read_text()
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()

        async with nothing_changes(server, client, (talk.session, "main")):
            wrong = [
                complaint
                for hostile in hostile_answers(id_of(request))
                if (complaint := _complaint(hostile, await _post(client, talk.path, hostile)))
            ]

        await talk.accepted(request, approved=True)
        await talk.end()
    assert wrong == []
    logged = server.errors.read_text().removeprefix(logged_before)
    assert [line[:300] for line in logged.splitlines() if '"level": "info"' not in line] == []


async def test_there_are_more_than_a_hundred_hostile_answers() -> None:
    assert len({hostile.name for hostile in hostile_answers("req_1")}) > 100


async def _post(client: Client, path: str, hostile: Hostile) -> httpx.Response:
    return await client.http.post(f"{path}/responses", content=hostile.body, headers=hostile.headers)


def _complaint(hostile: Hostile, response: httpx.Response) -> str | None:
    """Say what is wrong with what a body was told; None when nothing is."""
    document = problem(response)
    if (response.status_code, document["code"]) != (hostile.status, hostile.code):
        return f"{hostile.name}: {response.status_code} {document['code']}: {document['detail'][:200]}"
    if hostile.names not in document["detail"]:
        return f"{hostile.name}: {document['detail']!r:.300} does not name {hostile.names!r}"
    if "outcome" in document:
        return f"{hostile.name}: there is an outcome"
    return None
