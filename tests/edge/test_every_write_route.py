"""What holds for the body of one route holds for the body of every route, those included that are yet to come."""

import gzip
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest

from hosting.api.fleet.lanes import RESULT_PATHS
from hosting.domain.identity import Role
from tests.edge import bodies
from tests.edge.rows import MADE_BY_REQUESTS, count_rows
from tests.edge.test_hostile_bodies import refusals
from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.identity.office import Office

MEBIBYTE = 1 << 20
LARGEST = 16 * MEBIBYTE
JSON = "Content-Type: application/json"


async def test_a_body_that_is_too_large_is_refused_by_every_route_before_it_has_come(
    plain_edge: Client, plain_server: ServerProcess
) -> None:
    process = psutil.Process(plain_server.pid)
    routes = [route async for route in _write_routes(plain_edge, plain_server)]
    before = process.memory_info().rss
    wrong = []

    for method, path, *headers in routes:
        async with Wire(plain_edge.base) as wire:
            declared = await wire.request(method, path, JSON, f"Content-Length: {LARGEST + 1}", *headers)
        async with Wire(plain_edge.base) as wire:
            limit = LARGEST if path.endswith(("/inputs", "/responses", "/units")) else MEBIBYTE
            chunked = await wire.send_chunked(method, path, b" " * limit, b" ", ends=False, headers=headers)
        for answer in (declared, chunked):
            if (answer.status, answer.headers.get("connection")) != (413, "close"):
                wrong.append(f"{method} {path} is {answer.status}")
    grown = process.memory_info().rss - before

    assert wrong == []
    assert len(routes) > 40
    assert grown < 2 * LARGEST


async def test_what_is_packed_is_unpacked_by_no_route(plain_edge: Client, plain_server: ServerProcess) -> None:
    process = psutil.Process(plain_server.pid)
    bomb = gzip.compress(b" " * 40 * MEBIBYTE, 1)
    routes = [route async for route in _write_routes(plain_edge, plain_server)]
    before = process.memory_info().rss

    answers = {}
    for method, path, *headers in routes:
        async with Wire(plain_edge.base) as wire:
            length = f"Content-Length: {len(bomb)}"
            answer = await wire.request(method, path, JSON, "Content-Encoding: gzip", length, *headers, body=bomb)
        answers[path] = answer.status, answer.json.get("code")

    # This one says it in words of its own.
    assert answers.pop("/api/issue-tracker-proxy") == (400, None)
    assert set(answers.values()) == {(415, "unsupported-media-type")}
    assert process.memory_info().rss - before < 16 * MEBIBYTE


@pytest.mark.parametrize("behind", [b"a" * 100_000, b"{}" * 50, b"\x00" * 10])
async def test_what_stands_behind_the_length_of_a_body_is_no_part_of_it(plain_edge: Client, behind: bytes) -> None:
    async with Wire(plain_edge.base) as wire:
        created = await wire.request("POST", "/sessions", JSON, "Content-Length: 2", body=b"{}" + behind)
        refused = await wire.answer()
        ended = await wire.ends()

    assert (created.status, refused.status) == (201, 400)
    assert ended


async def test_hostile_bodies_interrupt_nothing(edge: Client, shared_server: ServerProcess) -> None:
    session = await edge.session()
    before = await count_rows(shared_server.database_url, MADE_BY_REQUESTS)

    wrong = await refusals(edge, shared_server, f"{edge.path(session)}/interrupt", _interrupts())

    assert wrong == []
    assert before == await count_rows(shared_server.database_url, MADE_BY_REQUESTS)


def _interrupts() -> Iterator[bodies.Hostile]:
    yield from bodies.anywhere("invalid-request", lambda value: b'{"reason":%b}' % value, MEBIBYTE)


async def _write_routes(client: Client, server: ServerProcess) -> AsyncIterator[tuple[str, ...]]:
    """Yield methods and paths of things that are there, each with the headers that it takes to be let in."""
    session, worker, item = await _things(client)
    names = {"agent_id": "demo", "session_id": session, "branch_id": "main", "worker_id": worker.id, "lane": "landing"}
    names["name"] = "KEY"
    names["run_id"] = (await client.http.get(f"/sessions/{session}/branches/main/runs")).json()[0]["runtimeRunId"]
    key = await Office(server, server.folder).key("local", Role.WORKER)
    shown = {"/v1/daemon/heartbeat": f"Bearer {worker.token}"} | dict.fromkeys(RESULT_PATHS.values(), "Bearer none")
    shown["/api/daemon/credentials/snapshot"] = f"Bearer {key}"
    for path, operations in (await client.http.get("/openapi.json")).json()["paths"].items():
        known = names | {"session_id": item} if path.startswith("/api/") else names
        headers = [f"Authorization: {shown[path]}"] if path in shown else []
        for method, operation in operations.items():
            # A form is another matter: see tests/content.
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield method.upper(), path.format(**known), *headers


async def _things(client: Client) -> tuple[str, FleetWorker, str]:
    session, client.agent = await client.session(), await define_worker_agent(client.http)
    await client.accepted(session, "hi")
    worker = await FleetWorker.register(client.http, agentIds=[client.agent])
    client.agent = "demo"
    return session, worker, (await worker.claimed())["sessionId"]
