"""A client's hands for long conversations."""

import json
from typing import Any

import httpx

from tests.harness.client import Client

Event = dict[str, Any]


async def post(client: Client, session: str, agent: str, body: dict[str, Any], branch: str = "main") -> httpx.Response:
    """Send an input to an agent."""
    return await client.http.post(f"/agents/{agent}/sessions/{session}/branches/{branch}/inputs", json=body)


async def ran(client: Client, session: str, agent: str, branch: str = "main", **body: Any) -> list[Event]:
    """Have an input answered, and return the events of its run."""
    response = await post(client, session, agent, {"text": "Go on.", **body}, branch)
    assert response.status_code == 202, response.text
    run_id = response.json()["runtimeRunId"]
    run = await client.ended(session, run_id, branch)
    assert run["status"] == "completed", run
    log = await client.log(session, branch)
    begun = next(place for place, event in enumerate(log) if event.get("runtimeRunId") == run_id)
    return log[begun:]


async def filled(client: Client, session: str, count: int, *, width: int = 0, inputs: int = 1) -> list[str]:
    """Bring so many messages into a session with each input; return the ids, those of the answers too, in order."""
    ids: list[str] = []
    for number in range(inputs):
        roles = ["assistant" if (count - place) % 2 == 0 else "user" for place in range(count - 1)]
        given = [
            {"messageId": f"m{number}-{place}", "role": role, "text": f"This is number {place}. {'x' * width}"}
            for place, role in enumerate(roles)
        ]
        last = {"messageId": f"last{number}", "text": "Hi"}
        body = {"type": "USER_MESSAGES_INPUT", "messages": [*given, last]}
        response = await post(client, session, "demo", body)
        assert response.status_code == 202, response.text
        await client.ended(session, response.json()["runtimeRunId"])
        ids += [message["messageId"] for message in (*given, last)]
        log = json.loads(await client.log_text(session, query=f"?after={response.json()['position']}"))
        ids.append(next(event["messageId"] for event in reversed(log) if event["type"] == "TEXT_MESSAGE_START"))
    return ids


def answer_of(events: list[Event]) -> str:
    """Return the last text that was said."""
    last = next(event["messageId"] for event in reversed(events) if event["type"] == "TEXT_MESSAGE_START")
    return "".join(event["text"] for event in events if event["type"] == "TEXT_DELTA" and event["messageId"] == last)


def compactions(events: list[Event]) -> list[Event]:
    """Return what was told of compaction."""
    return [event for event in events if event["type"] == "COMPACTION"]
