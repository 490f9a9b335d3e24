"""A server with definitions whose model is a provider that tests script."""

import asyncio
from typing import Any

from tests.harness.client import Client
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request

Json = dict[str, Any]


class Theatre:
    """A client of a server, and the provider that its definitions ask."""

    def __init__(self, client: Client, provider: FakeProvider) -> None:
        self.client = client
        self.provider = provider

    def config(self, instructions: str, **more: Any) -> Json:
        """Return a config whose model is the provider's."""
        chat = {"providerKey": "openai", "modelName": "gpt-5-mini", "endpoint": self.provider.openai}
        return {"systemInstructions": instructions, "clients": {"chat": chat}, **more}

    async def define(self, instructions: str, **more: Any) -> str:
        """Define an agent, let the client speak to it, and return its id."""
        body = {"name": "Actor", "config": self.config(instructions, **more)}
        response = await self.client.http.post("/agents", json=body)
        assert response.status_code == 201, response.text
        self.client.agent = str(response.json()["id"])
        return self.client.agent

    async def revise(self, instructions: str, **more: Any) -> Json:
        """Give that agent another config."""
        body = {"config": self.config(instructions, **more)}
        response = await self.client.http.put(f"/agents/{self.client.agent}", json=body)
        assert response.status_code == 200, response.text
        revised: Json = response.json()
        return revised

    async def queue(self, session: str, text: str) -> str:
        """Send an input that may wait, and return its run's id."""
        body = {"text": text, "runningRunBehavior": "queue"}
        response = await self.client.http.post(f"{self.client.path(session)}/inputs", json=body)
        assert response.status_code == 202, response.text
        return str(response.json()["runtimeRunId"])

    async def instructed(self, number: int) -> str:
        """Return the instructions of a request to the provider."""
        return instructions_of(await self.provider.request(number))

    async def ended(self, session: str, run_id: str) -> Json:
        """Return a run that has waited, perhaps, once it has ended."""
        while (run := await self.client.ended(session, run_id))["status"] == "queued":
            pass
        return run


def instructions_of(request: Request) -> str:
    """Return what an agent was told to do."""
    return next(message["content"] for message in request.messages() if message["role"] in {"system", "developer"})


async def asked_in(client: Client, session: str, *, after: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the question that a run waits for, asking until there is one, and another one than before."""
    async with asyncio.timeout(20):
        while True:
            listed = (await client.http.get(f"{client.path(session)}/interactions")).json()
            if fresh := [question for question in listed if question != after]:
                question: dict[str, Any] = fresh[0]
                return question
