"""A session that a worker has taken, to be written for by the routes of our own workers."""

from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent

Json = dict[str, Any]

MESSAGE = f"msg_{'0' * 32}"
TURN = "trn_1"


class Taken:
    """A session that a worker has taken, and the client that it came from."""

    def __init__(self, client: Client, session: str, run_id: str, worker: FleetWorker, item: str, run: Json) -> None:
        self.client = client
        self.session = session
        self.run_id = run_id
        self.worker = worker
        self.item = item
        self.run = run

    async def write(self, batch: int, *changes: Json, events: list[Json] | None = None, **said: Any) -> httpx.Response:
        """Post a batch."""
        body = {"claim": self.run["claim"], "batch": batch, "changes": changes, "events": events or []} | said
        return await self.worker.report(self.item, "units", **body)

    async def wrote(self, batch: int, *changes: Json, events: list[Json] | None = None) -> Json:
        """Post a batch that must be taken."""
        response = await self.write(batch, *changes, events=events)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def read(self, what: str) -> Json:
        """Read something of the session."""
        response = await self.worker.http.get(f"/api/sessions/{self.item}/{what}", headers=self.worker.headers)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def turn_started(self, **members: Any) -> Json:
        """Return the event that a run begins with."""
        told = {"type": "MESSAGE_TURN_STARTED", "messageTurnId": TURN, "conversationId": self.session}
        told |= {"runtimeRunId": self.run_id, "agentId": self.client.agent, "agentName": "helper"}
        return told | {"inputMessageCount": 1, "isResume": False, "eventFlowId": TURN} | members

    def closing(self) -> list[Json]:
        """Return the events that end what `begun` has begun: its message, its model's turn and its turn."""
        finished = {"type": "MESSAGE_TURN_FINISHED", "messageTurnId": TURN, "conversationId": self.session}
        finished |= {"runtimeRunId": self.run_id, "agentId": self.client.agent, "agentName": "helper"}
        return [
            {"type": "TEXT_MESSAGE_END", "messageId": MESSAGE, "eventFlowId": TURN},
            {"type": "AGENT_TURN_FINISHED", "iteration": 1, "eventFlowId": TURN},
            finished | {"duration": "PT1S", "iteration": 0, "eventFlowId": TURN},
        ]


async def begun(client: Client) -> Taken:
    """Return a session that a worker has begun: its turn, and a message that says a word."""
    client.agent = await define_worker_agent(client.http, "helper")
    session = await client.session()
    accepted = await client.accepted(session, "Say hello.")
    worker = await FleetWorker.register(client.http, agentIds=[client.agent])
    item = (await worker.claimed())["sessionId"]
    run = await worker.told(item, "take")
    taken = Taken(client, session, accepted["runtimeRunId"], worker, item, run)
    begin = {"change": "beginTurn", "turnId": TURN, "traceId": "trace"}
    await taken.wrote(1, begin, events=[taken.turn_started()])
    said = [
        {"type": "AGENT_TURN_STARTED", "iteration": 1, "eventFlowId": TURN},
        {"type": "TEXT_MESSAGE_START", "messageId": MESSAGE, "role": "assistant", "eventFlowId": TURN},
        {"type": "TEXT_DELTA", "messageId": MESSAGE, "text": "Hello", "eventFlowId": TURN},
    ]
    await taken.wrote(2, {"change": "openMessage", "messageId": MESSAGE}, events=said)
    return taken


def close(message: str = MESSAGE, state: str = "complete") -> Json:
    """Return the change that ends a message."""
    contents = [{"$type": "text", "text": "Hello"}]
    return {"change": "closeMessage", "messageId": message, "state": state, "contents": contents}
