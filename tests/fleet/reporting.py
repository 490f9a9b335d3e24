"""A worker that has one item of an agent of its own, and what its reports come to."""

from typing import Any

import httpx

from tests.fleet.relaying import Work
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent

Json = dict[str, Any]


async def assigned(http: httpx.AsyncClient, text: str = "Hello.", *, key: str | None = None, **config: Any) -> Work:
    """Return work that a worker has claimed, beside whatever else is on offer."""
    client = Client(str(http.base_url))
    await client.http.aclose()
    client.http = http
    client.agent = await define_worker_agent(http, **config)
    worker = await FleetWorker.register(http, key=key, agentIds=[client.agent])
    session = await client.session()
    accepted = await client.accepted(session, text)
    item = await worker.claimed()
    return Work(client, worker, session, accepted["runtimeRunId"], item["sessionId"])


async def act(work: Work, content: str, kind: str = "action", **said: Any) -> Json:
    """Report an activity that must be taken."""
    return await work.worker.told(work.id, "activity", activity={"type": kind, "content": content, **said})


async def state(work: Work) -> Json:
    """Return how the session stands."""
    response = await work.client.http.get(f"/api/sessions/{work.id}/status", headers=work.worker.headers)
    assert response.status_code == 200, response.text
    told: Json = response.json()
    return told


async def messages(work: Work) -> list[tuple[str, str]]:
    """Return the texts of the log's messages with their ids, in order; those that were cut are left out."""
    texts: dict[str, str] = {}
    cut: set[str] = set()
    for event in await work.client.log(work.session):
        if event["type"] == "TEXT_DELTA":
            texts[event["messageId"]] = texts.get(event["messageId"], "") + event["text"]
        elif event["type"] == "TEXT_MESSAGE_END" and event.get("interrupted"):
            cut.add(event["messageId"])
    return [(message, text) for message, text in texts.items() if message not in cut]


async def said(work: Work) -> list[str]:
    """Return the texts of the log's messages, in order."""
    return [text for _, text in await messages(work)]


def told_of(log: list[Json], *names: str) -> list[Json]:
    """Return the events of these types."""
    return [event for event in log if event["type"] in names]


def calls(log: list[Json]) -> list[tuple[str, str]]:
    """Return what the log tells of calls, each as a type and the call's id."""
    return [(event["type"].removeprefix("TOOL_CALL_"), event["callId"]) for event in log if "callId" in event]
