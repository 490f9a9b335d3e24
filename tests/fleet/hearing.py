"""What a worker hears of its session, and what users say and answer meanwhile."""

import asyncio
from typing import Any

import httpx

from tests.fleet.relaying import Work
from tests.harness.patience import Patience

Json = dict[str, Any]


async def further(work: Work, text: str, behavior: str = "queue", **said: Any) -> Json:
    """Submit a further input that must be taken."""
    response = await submit(work, {"text": text, "runningRunBehavior": behavior, **said})
    assert response.status_code == 202, response.text
    accepted: Json = response.json()
    return accepted


async def submit(work: Work, body: Json) -> httpx.Response:
    """Submit an input."""
    return await work.client.http.post(f"{work.client.path(work.session)}/inputs", json=body)


async def refresh(work: Work, **said: Any) -> Json:
    """Refresh the lock, which must be answered."""
    return await work.worker.told(work.id, "lock-refresh", issueId=f"{work.session}.main", **said)


async def inbox(work: Work) -> list[Json]:
    """Poll, and return what is in the inbox of the session."""
    polled = await work.worker.poll()
    assert polled["hasInboxMessages"] == bool(polled["inboxMessages"])
    assert not polled["inboxMessages"].keys() - {work.id}
    heard: list[Json] = polled["inboxMessages"].get(work.id, [])
    return heard


async def inbox_within(work: Work, seconds: float = 10) -> list[Json]:
    """Poll until there is something in the inbox."""
    patience = Patience()
    async with asyncio.timeout(seconds):
        while True:
            if heard := await inbox(work):
                return heard
            await patience.wait()


async def interrupt(work: Work) -> None:
    """Interrupt the run, and wait until it has ended."""
    response = await work.client.http.post(f"{work.client.path(work.session)}/interrupt")
    assert response.status_code == 202, response.text
    await work.client.ended(work.session, work.run)


async def ask(work: Work, kind: str = "PERMISSION_REQUEST", **said: Any) -> Json:
    """Ask a question that must be taken."""
    usual: Json = {}
    if kind == "PERMISSION_REQUEST":
        usual = {"permissionId": "ask-1", "functionName": "deploy", "callId": "call-1", "arguments": {"to": "live"}}
    return await work.worker.told(work.id, "interactions", type=kind, **(usual | said))


async def look(work: Work, request_id: str = "ask-1") -> Json:
    """Look how a question stands."""
    path = f"/api/sessions/{work.id}/interactions/{request_id}"
    response = await work.client.http.get(path, headers=work.worker.headers)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def respond(work: Work, **answer: Any) -> None:
    """Answer as a user's client does."""
    envelope = {"version": "1.0", "type": "PERMISSION_RESPONSE", "permissionId": "ask-1", **answer}
    response = await work.client.http.post(f"{work.client.path(work.session)}/responses", json=envelope)
    assert response.status_code == 200, response.text


async def open_questions(work: Work) -> list[Json]:
    """Return what a user's client is asked."""
    response = await work.client.http.get(f"/sessions/{work.session}/branches/main/interactions")
    found: list[Json] = response.json()
    return found
