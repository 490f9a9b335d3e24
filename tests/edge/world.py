"""What there is to ask about for each problem: of who uses agents, and of the fleet."""

from dataclasses import dataclass
from typing import Any

from hosting.domain.identity import Role
from tests.fleet.gate import Gate
from tests.harness.client import Client
from tests.harness.conversation import open_questions
from tests.harness.worker import FleetWorker, define_worker_agent

QUEUE = 100
QUESTION = "ask-1"
RESERVED = "reserved.txt"


@dataclass(frozen=True)
class FleetWorld:
    """A worker with a session `held`, which has asked QUESTION, and one that has RESERVED, and one that has ended.

    `waiting` is on offer, `full` was given up on a branch with a full queue, and `orphan` after its agent was deleted.
    """

    worker: FleetWorker
    other: FleetWorker
    held: str
    ended: str
    waiting: str
    full: str
    orphan: str


@dataclass(frozen=True)
class World:
    """What there is: an idle session whose branch `parent` has a fork, a busy one with a full queue, a stored agent.

    `ended` is a run that is rated with 1, and `active` one of the busy session.
    `content` is a file of the idle session, of 5 bytes.
    `keys` are those of tenant `local`, by role; `expired` is the token of a worker.
    """

    idle: str
    busy: str
    message: str
    request: str
    ended: str
    active: str
    stored: str
    content: str
    fleet: FleetWorld
    keys: dict[str, str]
    expired: str


async def prepare_world(client: Client, gate: Gate) -> World:
    """Make what there is to ask about."""
    idle, busy = await client.session(), await client.session()
    fleet = await _fleet(client, gate, busy)
    client.agent = "demo"
    for branch_id in ("parent", "child"):
        await client.branch(idle, branch_id)
    ended = await client.accepted(idle, "hi", "main")
    await client.ended(idle, ended["runtimeRunId"], "main")
    rated = await client.http.post(f"{client.path(idle)}/runs/{ended['runtimeRunId']}/rating", json={"rating": 1})
    assert rated.status_code == 200, rated.text
    on_parent = await client.accepted(idle, "hi", "parent")
    await client.ended(idle, on_parent["runtimeRunId"], "parent")
    fork = await client.http.post(f"{client.path(idle, 'parent')}/fork", json={"fromMessageId": on_parent["messageId"]})
    assert fork.status_code == 201, fork.text
    request = await _fill(client, busy)
    agent = await client.http.post("/agents", json={"name": "Elsewhere", "config": {"runtime": "worker"}})
    keys = {str(role): await gate.key("local", role) for role in Role}
    uploaded = await client.http.post(f"/sessions/{idle}/content", files={"file": ("a.txt", b"hello")})
    return World(
        idle=idle,
        busy=busy,
        message=ended["messageId"],
        request=request,
        ended=ended["runtimeRunId"],
        active=(await client.http.get(f"/sessions/{busy}/branches/main/runs/active")).json()["runtimeRunId"],
        stored=agent.json()["id"],
        content=uploaded.json()["contentId"],
        fleet=fleet,
        keys=keys,
        expired=gate.expired_token(),
    )


async def _fill(client: Client, busy: str) -> str:
    """Let two runs of a session ask, and fill the queue of one; return a question."""
    await client.branch(busy, "busy")
    for branch_id in ("main", "busy"):
        await client.accepted(busy, "/permission", branch_id)
    questions = await open_questions(client, busy)
    for number in range(QUEUE):
        waiting = {"text": str(number), "runningRunBehavior": "queue"}
        assert (await client.http.post(f"{client.path(busy)}/inputs", json=waiting)).status_code == 202
    return str(questions[0]["requestId"]) if questions else "none"


async def _fleet(client: Client, gate: Gate, busy: str) -> FleetWorld:
    agent, lost = await define_worker_agent(client.http), await define_worker_agent(client.http)
    worker = await FleetWorker.register(client.http)
    other = await FleetWorker.register(client.http, hostname="elsewhere")
    held, reserving, ended = [await _claimed(client, worker, agent) for _ in range(3)]
    full, orphan = await _claimed(client, worker, agent, busy), await _claimed(client, worker, lost)
    await worker.told(held, "interactions", type="CLARIFICATION_REQUEST", requestId=QUESTION, question="why?")
    await worker.told(reserving, "files/reserve", filePaths=[RESERVED])
    await worker.told(ended, "status", status="completed")
    for given_up in (full, orphan):
        await worker.told(given_up, "status", status="failed")
        # It would take several leases to be given up.
        await gate.execute("UPDATE work_items SET state = 'dead' WHERE id = :id", id=given_up)
    assert (await client.http.delete(f"/agents/{lost}")).status_code == 204
    waiting = await _claimed(client, other, agent)
    await other.told(waiting, "nack")
    return FleetWorld(worker, other, held, ended, waiting, full, orphan)


async def _claimed(client: Client, worker: FleetWorker, agent: str, session: str | None = None) -> str:
    client.agent = agent
    await client.accepted(session or await client.session(), "hi")
    item: dict[str, Any] = await worker.claimed()
    return str(item["sessionId"])
