"""Agents whose runs have a model chosen among candidates, and what is asked about them."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from tests.harness.client import Client
from tests.harness.providers.provider import FakeProvider, Script
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Spent, Status, Text
from tests.harness.worker import Json
from tests.routing.claimed import metrics

GOOD, BAD = "openai:good", "openai:bad"
SETTINGS = {"client_endpoints": "true", "routing_selector_enabled": "true"}


def say_yes(request: Request) -> Script:
    """Answer as every model does that is well."""
    return Text("Yes."), Spent(input=10, output=2)


class HalfTheTime:
    """Answers for the model `bad` every second time with an error that is not to be tried again, else as it should."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Script:
        model = str(request.body["model"])
        self.asked.append(model)
        fails = model == "bad" and self.asked.count("bad") % 2 == 1
        return (Status(400),) if fails else say_yes(request)


async def define(client: Client, provider: FakeProvider, *names: str, **config: Any) -> str:
    """Store a definition whose models have these names, let the client speak to its agent, and return its id."""
    own, *others = ({"providerKey": "openai", "modelName": name, "endpoint": provider.openai} for name in names)
    chat = {**own, "candidates": others} if others else own
    answer = await client.http.post("/agents", json={"name": "routed", "config": {"clients": {"chat": chat}, **config}})
    assert answer.status_code == 201, answer.text
    client.agent = str(answer.json()["id"])
    return client.agent


async def run(client: Client, text: str = "Hello", **config: Any) -> Json:
    """Send an input to a session of its own, and return its run once it has ended."""
    session = await client.session()
    body = {"text": text, "runConfig": config} if config else {"text": text}
    accepted = await client.http.post(f"{client.path(session)}/inputs", json=body)
    assert accepted.status_code == 202, accepted.text
    async with client.feed(session, after=accepted.json()["position"]) as feed:
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")
    return await client.run(session, accepted.json()["runtimeRunId"])


async def run_many(client: Client, count: int, at_once: int) -> None:
    """Do so many runs, in so many sessions at once."""
    await asyncio.gather(*(_run_in_a_row(client, count // at_once) for _ in range(at_once)))


async def _run_in_a_row(client: Client, count: int) -> None:
    session = await client.session()
    async with client.feed(session) as feed:
        for _ in range(count):
            await client.accepted(session, "Hello")
            await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")


async def arms(client: Client, work_type: str) -> dict[str, Json]:
    """Return what is known of the providers for a type of work."""
    known = (await metrics(client.http))["posteriors"]
    return {arm["provider"]: arm for arm in known if arm["workType"] == work_type}


async def observed(client: Client, work_type: str) -> list[Json]:
    """Return what was observed of a type of work, the newest first."""
    found = (await metrics(client.http, limit=200))["recentDecisions"]
    return [each for each in found if each["workType"] == work_type]


def new_work() -> str:
    """Return a type of work that nobody else has."""
    return f"work-{uuid.uuid4().hex}"


async def written(notes: Path, lines: int, *, seconds: float = 20) -> list[str]:
    """Return what the agents of routed_agents.py have noted, once it is so much."""
    async with asyncio.timeout(seconds):
        while True:
            found = noted(notes)
            if len(found) >= lines:
                return found
            await asyncio.sleep(0.02)


def noted(notes: Path) -> list[str]:
    """Return what they have noted so far."""
    return notes.read_text().splitlines() if notes.exists() else []
