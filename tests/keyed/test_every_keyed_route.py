"""Every route that takes an Idempotency-Key: it creates or starts one thing, however often it is asked."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.edge.documented import Documented
from tests.edge.rows import count_rows
from tests.harness.client import Client
from tests.harness.contract import Contract
from tests.harness.conversation import open_questions
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.keyed.sending import Sent, code_of, is_again, is_first, send

MADE = ("sessions", "branches", "runs", "agents", "lane_items", "worker_mutations", "work_items", "inbox_messages")


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path) -> ServerProcess:
    """A server that signs the tokens of workers, on a database of each kind."""
    ensure_key_file(tmp_path / "keys")
    return make_server(database_url, key_file=tmp_path / "keys").start()


async def test_every_route_that_creates_or_starts_something_does_so_once(client: Client, server: ServerProcess) -> None:
    document = (await client.http.get("/openapi.json")).json()
    client.http.event_hooks["response"].append(Documented(document))
    seen = set()

    async for name, sent in requests(client, server):
        first = await send(client.http, sent.path, sent.body, "once")
        made = await count_rows(server.database_url, MADE)
        again = await send(client.http, sent.path, sent.body, "once")
        other = sent.other and await send(client.http, sent.path, sent.other, "once")
        assert is_first(first), (name, first.text)
        assert is_again(again, first), (name, again.text)
        assert other is None or (other.status_code, code_of(other)) == (422, "idempotency-key-reused"), name
        assert await count_rows(server.database_url, MADE) == made, name
        seen.add(name)

    assert seen == {operation.id for operation in Contract(document).operations if takes_keys(operation.described)}


def takes_keys(described: object) -> bool:
    """Say whether a route is described with the header."""
    assert isinstance(described, dict)
    return any(parameter["name"] == "Idempotency-Key" for parameter in described.get("parameters", ()))


async def requests(client: Client, server: ServerProcess) -> AsyncIterator[tuple[str, Sent]]:
    """Yield a request for each route, by the route's name, when what it needs is there."""
    idle, busy, asking = await client.session(), await client.session(), await client.session()
    said = await client.accepted(idle, "hi")
    await client.ended(idle, said["runtimeRunId"])
    running = await client.accepted(busy, "/tokens 100000 1")
    await client.accepted(asking, "/permission")
    while not (questions := await open_questions(client, asking)):
        pass
    answer = {"type": "PERMISSION_RESPONSE", "permissionId": questions[0]["requestId"], "approved": True}
    path = client.path(idle)
    yield "postSession", Sent("/sessions", {"metadata": {"of": 1}}, {"metadata": {"of": 2}})
    yield "postAgent", Sent("/agents", {"name": "a", "config": {"runtime": "worker"}}, {"name": "b", "config": {}})
    yield "postBranch", Sent(path.removesuffix("/main"), {"name": "a"}, {"name": "b"})
    yield "postFork", Sent(f"{path}/fork", {"fromMessageId": said["messageId"]}, {"fromMessageId": "none"})
    yield "postInput", Sent(f"{path}/inputs", {"text": "once"}, {"text": "twice"})
    yield "postResponse", Sent(f"{client.path(asking)}/responses", answer, {**answer, "approved": False})
    yield "postInterrupt", Sent(f"{client.path(busy)}/interrupt", {"reason": "a"}, {"reason": "b"})
    await client.ended(busy, running["runtimeRunId"])
    yield "postLaneWork", Sent("/api/work/lanes/landing", {"repoId": "a"}, {"repoId": "b"})
    async for each in of_workers(client, server):
        yield each


async def of_workers(client: Client, server: ServerProcess) -> AsyncIterator[tuple[str, Sent]]:
    """Yield those that are about workers."""
    agent, worker = await define_worker_agent(client.http), await FleetWorker.register(client.http)
    client.agent = agent
    await client.accepted(await client.session(), "hi")
    held = (await worker.claimed())["sessionId"]
    mutation = {"op": "project.enable", "params": {"project": "a"}}
    yield "postMutation", Sent(f"/api/workers/{worker.id}/mutations", mutation, {**mutation, "op": "project.disable"})
    yield "postPublicPrompt", Sent(f"/api/public/sessions/{held}/prompt", {"prompt": "a"}, {"prompt": "b"})
    await worker.told(held, "status", status="failed")
    # It would take several leases to be given up.
    await RawStore(server.database_url).run("UPDATE work_items SET state = 'dead' WHERE id = ?", held)
    yield "requeue", Sent(f"/api/work/dead/{held}/requeue", None)
