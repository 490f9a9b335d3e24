"""Every problem that a route is documented with is one that it answers with; what is never answered is not promised."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.harness.contract import Answer, Contract, Operation
from tests.harness.conversation import open_questions
from tests.harness.process import ServerProcess

TOO_DEEP = b"[" * 65 + b"]" * 65
TOO_MANY_HEADERS = tuple(f"X-{number}: x" for number in range(200))
QUEUE = 100

FAULTS = {
    "internal-error": "test_database_away, test_framework_errors",
    "storage-unavailable": "test_database_away, test_full_disk",
    "not-ready": "test_database_away",
    "request-timeout": "a request takes longer than this test may",
    "too-many-requests": "a client has more connections than this test needs",
}
"""What comes of something that is not in a request."""


@dataclass(frozen=True)
class Wish:
    """How a request differs from one that would succeed."""

    ids: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class World:
    """What there is: an idle session whose branch `parent` has a fork, a busy one with a full queue, a stored agent."""

    idle: str
    busy: str
    message: str
    request: str
    ended: str
    stored: str


Recipe = Callable[[World, Operation], Wish]


def body(**members: object) -> bytes:
    """Return a JSON object."""
    return json.dumps(members).encode()


FOR_WORKERS = body(config={"runtime": "worker"})

RECIPES: dict[str, Recipe] = {
    "agent-not-found": lambda world, operation: Wish(ids={"agent_id": "none"}),
    "agent-not-stored": lambda world, operation: Wish(body=FOR_WORKERS if operation.method == "PUT" else None),
    "config-refused": lambda world, operation: Wish(
        ids={"agent_id": world.stored},
        body=body(config={"nonsense": 1}) if operation.method == "PUT" else body(name="x", config={"nonsense": 1}),
    ),
    "session-not-found": lambda world, operation: Wish(ids={"session_id": "none"}),
    "branch-not-found": lambda world, operation: Wish(ids={"branch_id": "none"}),
    "run-not-found": lambda world, operation: Wish(ids={"run_id": "none"}),
    "origin-refused": lambda world, operation: Wish(headers=("Origin: https://evil.example",)),
    "headers-too-large": lambda world, operation: Wish(headers=TOO_MANY_HEADERS),
    "invalid-request": lambda world, operation: Wish(headers=("Host: two", "Host: hosts")),
    "payload-too-large": lambda world, operation: Wish(body=TOO_DEEP),
    "unsupported-media-type": lambda world, operation: Wish(body=b"x=1", headers=("Content-Type: text/plain",)),
    "unknown-member": lambda world, operation: Wish(body=body(nonsense=1)),
    "invalid-input": lambda world, operation: Wish(body=b"[]"),
    "invalid-response": lambda world, operation: Wish(body=b"[]"),
    "invalid-position": lambda world, operation: Wish(query="?after=nonsense"),
    "run-config-refused": lambda world, operation: Wish(body=body(text="x", runConfig={"apiKey": "x"})),
    "session-exists": lambda world, operation: Wish(body=body(sessionId=world.idle)),
    "branch-exists": lambda world, operation: Wish(
        body=body(branchId="main")
        if operation.id == "postBranch"
        else body(newBranchId="main", fromMessageId=world.message)
    ),
    "fork-message-not-present": lambda world, operation: Wish(body=body(fromMessageId="none")),
    "message-exists": lambda world, operation: Wish(
        body=body(type="USER_MESSAGES_INPUT", messages=[{"messageId": world.message, "text": "x"}])
    ),
    "branch-run-active": lambda world, operation: Wish(
        ids={"session_id": world.busy, "branch_id": "busy" if operation.id == "deleteBranch" else "main"},
        body=body(text="x") if operation.id == "postInput" else None,
    ),
    "branch-run-not-active": lambda world, operation: Wish(body=body(type="INTERRUPTION_REQUEST")),
    "queue-full": lambda world, operation: Wish(
        ids={"session_id": world.busy}, body=body(text="x", runningRunBehavior="queue")
    ),
    "run-not-queued": lambda world, operation: Wish(ids={"run_id": world.ended}),
    "branch-runtime-not-active": lambda world, operation: Wish(
        body=body(type="PERMISSION_RESPONSE", permissionId=world.request, approved=True)
    ),
    "response-not-awaited": lambda world, operation: Wish(
        ids={"session_id": world.busy}, body=body(type="PERMISSION_RESPONSE", permissionId="none", approved=True)
    ),
    "protected-branch": lambda world, operation: Wish(),
    "has-children": lambda world, operation: Wish(ids={"branch_id": "parent"}),
    "recursive-delete-disabled": lambda world, operation: Wish(ids={"branch_id": "parent"}, query="?recursive=true"),
}


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that refuses whatever a server can be told to refuse."""
    folder: Path = tmp_path_factory.mktemp("strict")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", recursive_delete="false") as server:
        yield server


@pytest.fixture
async def client(strict_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(strict_server.url) as client:
        yield client


async def test_every_documented_problem_is_answered_with_and_as_documented(client: Client) -> None:
    contract = Contract((await client.http.get("/openapi.json")).json())
    world = await _world(client)
    promised = {(operation.id, code) for operation in contract.operations for code in operation.codes() - set(FAULTS)}

    kept, said = set(), {}
    for operation in contract.operations:
        for code in sorted(operation.codes() - set(FAULTS)):
            answer = await _ask(client, world, operation, RECIPES[code](world, operation))
            fault = contract.fault(operation, answer)
            assert fault is None, f"{operation.id}: {code}: {fault}"
            said[operation.id, code] = answer.body
            if answer.media_type == "application/problem+json" and json.loads(answer.body)["code"] == code:
                kept.add((operation.id, code))

    assert len(promised) > 200
    assert {pair: said[pair] for pair in promised - kept} == {}


async def _world(client: Client) -> World:
    idle, busy = await client.session(), await client.session()
    for branch_id in ("parent", "child"):
        await client.branch(idle, branch_id)
    ended = await client.accepted(idle, "hi", "main")
    await client.ended(idle, ended["runtimeRunId"], "main")
    on_parent = await client.accepted(idle, "hi", "parent")
    await client.ended(idle, on_parent["runtimeRunId"], "parent")
    fork = await client.http.post(f"{client.path(idle, 'parent')}/fork", json={"fromMessageId": on_parent["messageId"]})
    assert fork.status_code == 201, fork.text
    await client.branch(busy, "busy")
    for branch_id in ("main", "busy"):
        await client.accepted(busy, "/permission", branch_id)
    questions = await open_questions(client, busy)
    for number in range(QUEUE):
        waiting = {"text": str(number), "runningRunBehavior": "queue"}
        assert (await client.http.post(f"{client.path(busy)}/inputs", json=waiting)).status_code == 202
    request = questions[0]["requestId"] if questions else "none"
    agent = await client.http.post("/agents", json={"name": "Elsewhere", "config": {"runtime": "worker"}})
    return World(idle, busy, ended["messageId"], request, ended["runtimeRunId"], agent.json()["id"])


async def _ask(client: Client, world: World, operation: Operation, wish: Wish) -> Answer:
    ids = {"agent_id": "demo", "session_id": world.idle, "branch_id": "main", "run_id": world.ended, **wish.ids}
    path = operation.path.format(**ids) + wish.query
    headers = [*wish.headers]
    if wish.body is not None:
        headers.append(f"Content-Length: {len(wish.body)}")
    async with Wire(client.base) as wire:
        if any(header.startswith("Host:") for header in headers):
            lines = (f"{operation.method} {path} HTTP/1.1", *headers)
            await wire.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = await wire.answer()
        else:
            answer = await wire.request(operation.method, path, *headers, body=wish.body or b"")
    return Answer(answer.status, httpx.Headers(answer.headers), answer.body)
