"""A worker that has work, and what it relays."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent

Json = dict[str, Any]


@dataclass
class Work:
    """A worker with one item: the `session` that its run is of, and `id`, which the fleet calls the session."""

    client: Client
    worker: FleetWorker
    session: str
    run: str
    id: str

    async def relay(self, turn: str, *frames: tuple[int, str] | Json) -> httpx.Response:
        """Relay a batch."""
        said = [frame if isinstance(frame, dict) else {"index": frame[0], "text": frame[1]} for frame in frames]
        return await self.worker.report(self.id, "token-delta", turnId=turn, frames=said)

    async def published(self, turn: str, *frames: tuple[int, str] | Json) -> int:
        """Relay a batch that must be taken, and return how much of it was new."""
        response = await self.relay(turn, *frames)
        assert response.status_code == 200, response.text
        (told,) = response.json().items()
        assert told[0] == "published"
        return int(told[1])

    async def deltas(self) -> list[tuple[str, int, str]]:
        """Return what the branch's log has of what was relayed, in its order."""
        log = await self.client.log(self.session)
        return [(event["turnId"], event["index"], event["text"]) for event in log if event["type"] == "TEXT_DELTA"]


async def begun(client: Client, worker: FleetWorker | None = None, text: str = "Hello.", **config: Any) -> Work:
    """Return work that a worker has claimed, of an agent of its own."""
    client.agent = await define_worker_agent(client.http, **config)
    worker = worker or await FleetWorker.register(client.http)
    session = await client.session()
    accepted = await client.accepted(session, text)
    item = await worker.claimed()
    return Work(client, worker, session, accepted["runtimeRunId"], item["sessionId"])


def done(index: int) -> Json:
    """Return the frame that ends a turn."""
    return {"index": index, "text": "", "done": True}
