"""Every problem that a route is documented with is one that it answers with; what is never answered is not promised."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from hosting.domain.identity import Role
from tests.content.upload import BOUNDARY, form
from tests.edge.wire import Wire
from tests.edge.world import QUESTION, RESERVED, World, prepare_world
from tests.fleet.gate import Gate
from tests.harness.client import Client
from tests.harness.contract import Answer, Contract, Operation
from tests.harness.fleet_report import fleet_report
from tests.harness.process import ServerProcess

TOO_DEEP = b"[" * 65 + b"]" * 65
TOO_LARGE = b" " * ((1 << 20) + 1)
TOO_MANY_HEADERS = tuple(f"X-{number}: x" for number in range(200))
BY_SECRET = ("postBatchResult", "postExtractionResult")
BY_NOTHING = "Authorization: Bearer nonsense"

FAULTS = {
    "internal-error": "test_database_away, test_framework_errors",
    "storage-unavailable": "test_database_away, test_full_disk",
    "not-ready": "test_database_away",
    "request-timeout": "a request takes longer than this test may",
    "too-many-requests": "a client has more connections than this test needs",
    "too-many-streams": "tests/overload",
    "too-many-runs": "tests/overload",
    "overloaded": "tests/overload",
    "idempotency-key-under-way": "tests/keyed/test_under_way",
    "idempotency-key-reused": "tests/keyed/test_every_keyed_route",
    "no-signing-key": "tests/fleet/test_registration",
    "no-sealing-key": "tests/credentials/test_key_file",
    "credential-unreadable": "tests/credentials/test_key_file",
    "too-many-credentials": "tests/credentials/test_keeping",
}
"""What comes of something that is not in a request."""


@dataclass(frozen=True)
class Wish:
    """How a request differs from one that would succeed."""

    ids: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: tuple[str, ...] = ()
    query: str = ""


Recipe = Callable[[World, Operation], Wish]


def body(**members: object) -> bytes:
    """Return a JSON object."""
    return json.dumps(members).encode()


def said(operation: Operation, worker: str = "none", key: str = "none") -> bytes:
    """Return what a worker may say, or somebody with a key."""
    return body(**fleet_report(operation.path, worker, key))


def role_without(operation: Operation) -> str:
    """Return a role that a route does not take."""
    return min(set(Role) - set(operation.described["x-roles"]))


OF_FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
UPLOADS = {"postContent", "postSessionContent"}
SESSION_CONTENT = 1000


def uploading(body: bytes) -> Wish:
    """Return a request that brings a form."""
    return Wish(body=body, headers=(OF_FORM,))


FOR_WORKERS = body(config={"runtime": "worker"})

BY_QUERY = dict.fromkeys(("putCredential", "removeCredential"), "?session=none")
BY_QUERY["getRotateStream"] = "?sessionId=none"
OF_NO_SESSION = {
    "postMutation": body(op="session.kill", params={"sessionId": "none"}),
    "postSnapshot": body(orgId="local", sessionId="none"),
}

RECIPES: dict[str, Recipe] = {
    "agent-not-found": lambda world, operation: Wish(ids={"agent_id": "none", "session_id": world.fleet.orphan}),
    "agent-not-stored": lambda world, operation: Wish(body=FOR_WORKERS if operation.method == "PUT" else None),
    "config-refused": lambda world, operation: Wish(
        ids={"agent_id": world.stored},
        body=body(config={"nonsense": 1}) if operation.method == "PUT" else body(name="x", config={"nonsense": 1}),
    ),
    "session-not-found": lambda world, operation: Wish(
        ids={"session_id": "none"}, query=BY_QUERY.get(operation.id, "")
    ),
    "credential-refused": lambda world, operation: Wish(
        query="?project=%20", body=body(value="x") if operation.method == "PUT" else None
    ),
    "credential-not-found": lambda world, operation: Wish(),
    "branch-not-found": lambda world, operation: Wish(ids={"branch_id": "none"}),
    "content-not-found": lambda world, operation: Wish(ids={"content_id": "none"}),
    "content-full": lambda world, operation: uploading(form(b"x" * (SESSION_CONTENT + 1))),
    "invalid-content-type": lambda world, operation: Wish(body=b"x=1", headers=("Content-Type: text/plain",)),
    "invalid-file-name": lambda world, operation: uploading(form(b"x", name="../x")),
    "no-file-provided": lambda world, operation: uploading(form(b"")),
    "range-not-satisfiable": lambda world, operation: Wish(headers=("Range: bytes=9-",)),
    "run-not-found": lambda world, operation: Wish(ids={"run_id": "none"}),
    "origin-refused": lambda world, operation: Wish(headers=("Origin: https://evil.example",)),
    "headers-too-large": lambda world, operation: Wish(headers=TOO_MANY_HEADERS),
    "invalid-request": lambda world, operation: Wish(headers=("Host: two", "Host: hosts")),
    "payload-too-large": lambda world, operation: Wish(
        body=TOO_LARGE if operation.id in {"postTrackerCall", *UPLOADS} else TOO_DEEP,
        headers=(OF_FORM,) if operation.id in UPLOADS else (),
    ),
    "unsupported-media-type": lambda world, operation: (
        uploading(form(b"x", content_type="nonsense"))
        if operation.id in UPLOADS
        else Wish(body=b"x=1", headers=("Content-Type: text/plain",))
    ),
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
    "queue-full": lambda world, operation: (
        Wish(ids={"session_id": world.busy}, body=body(text="x", runningRunBehavior="queue"))
        if operation.id == "postInput"
        else Wish(ids={"session_id": world.fleet.full})
    ),
    "run-not-ended": lambda world, operation: Wish(
        ids={"session_id": world.busy, "run_id": world.active}, body=body(rating=1)
    ),
    "run-already-rated": lambda world, operation: Wish(body=body(rating=0)),
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
    "unauthenticated": lambda world, operation: (
        Wish(body=said(operation, key="nonsense")) if operation.id == "registerDaemon" else Wish(headers=(BY_NOTHING,))
    ),
    "token-expired": lambda world, operation: Wish(headers=(f"Authorization: Bearer {world.expired}",)),
    "forbidden": lambda world, operation: (
        Wish(body=said(operation, key=world.keys["user"]))
        if operation.id == "registerDaemon"
        else Wish(headers=(f"Authorization: Bearer {world.keys[role_without(operation)]}",))
    ),
    "worker-not-found": lambda world, operation: (
        Wish(ids={"worker_id": "none"}, body=said(operation, worker="none") if "{" not in operation.path else None)
        if operation.id != "postTransfer"
        else Wish(body=said(operation, worker="none"))
    ),
    "work-session-not-found": lambda world, operation: Wish(
        ids={"session_id": "none"},
        query=BY_QUERY.get(operation.id, ""),
        body=OF_NO_SESSION.get(operation.id),
    ),
    "session-not-owned": lambda world, operation: Wish(
        headers=(f"Authorization: Bearer {world.fleet.other.token}",),
        body=body(newWorkerId=world.fleet.other.id, oldWorkerId=world.fleet.worker.id)
        if operation.id == "postTransfer"
        else None,
    ),
    "work-session-ended": lambda world, operation: Wish(ids={"session_id": world.fleet.ended}),
    "work-transition-refused": lambda world, operation: Wish(
        ids={"session_id": world.fleet.waiting if operation.id == "completeInterview" else world.fleet.ended}
    ),
    "work-session-not-dead": lambda world, operation: Wish(),
    "gone": lambda world, operation: Wish(),
    "not-found": lambda world, operation: Wish(ids={"lane": "none"}),
    "file-reserved": lambda world, operation: Wish(body=body(workerId=world.fleet.worker.id, filePath=RESERVED)),
    "inbox-message-not-found": lambda world, operation: Wish(),
    "question-not-found": lambda world, operation: Wish(ids={"request_id": "none"}),
    "question-refused": lambda world, operation: Wish(
        body=body(
            workerId=world.fleet.worker.id, type="PERMISSION_REQUEST", permissionId=QUESTION, functionName="deploy"
        )
    ),
}


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that refuses whatever a server can be told to refuse."""
    folder: Path = tmp_path_factory.mktemp("strict")
    strict = {"recursive_delete": "false", "upload_bytes": 10_000, "session_content_bytes": SESSION_CONTENT}
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", **strict) as server:
        yield server


@pytest.fixture
async def client(strict_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(strict_server.url) as client:
        yield client


async def test_every_documented_problem_is_answered_with_and_as_documented(
    client: Client, strict_server: ServerProcess
) -> None:
    contract = Contract((await client.http.get("/openapi.json")).json())
    world = await prepare_world(client, Gate(strict_server, strict_server.folder / "test.db.keys"))
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

    assert len(promised) > 600
    assert {pair: said[pair] for pair in promised - kept} == {}


async def _ask(client: Client, world: World, operation: Operation, wish: Wish) -> Answer:
    usual = _usual(world, operation)
    path = operation.path.format(**usual.ids | wish.ids) + (wish.query or usual.query)
    body = usual.body if wish.body is None else wish.body
    headers = [*wish.headers]
    if not any(header.startswith("Authorization:") for header in headers):
        headers += usual.headers
    if body is not None:
        headers.append(f"Content-Length: {len(body)}")
    async with Wire(client.base) as wire:
        if any(header.startswith("Host:") for header in headers):
            lines = (f"{operation.method} {path} HTTP/1.1", *headers)
            await wire.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = await wire.answer()
        else:
            answer = await wire.request(operation.method, path, *headers, body=body or b"")
    return Answer(answer.status, httpx.Headers(answer.headers), answer.body)


def _usual(world: World, operation: Operation) -> Wish:
    """Return a request that would succeed, or would but for its body."""
    if not operation.path.startswith(("/api/", "/v1/")):
        ids = {"agent_id": "demo", "session_id": world.idle, "branch_id": "main", "run_id": world.ended}
        return Wish(ids=ids | {"name": "KEY", "content_id": world.content})
    fleet = world.fleet
    worker = fleet.worker.id
    shown = dict.fromkeys(("beatDaemon", "getRunCredentials"), f"Authorization: Bearer {fleet.worker.token}")
    shown |= dict.fromkeys(BY_SECRET, BY_NOTHING)
    shown |= dict.fromkeys(("postSnapshot", "getRotateStream"), f"Authorization: Bearer {world.keys['worker']}")
    said = body(**fleet_report(operation.path, worker, world.keys["worker"]))
    return Wish(
        ids={"session_id": fleet.held, "worker_id": worker, "request_id": QUESTION, "lane": "landing"},
        body=said if "requestBody" in operation.described else None,
        headers=tuple(shown[name] for name in [operation.id] if name in shown),
        query=f"?worker={worker}&workerId={worker}&filePaths=a.txt" if operation.method == "GET" else "",
    )
