"""A host program gives its agents and the events that they ask with to `create_app`."""

import asyncio
from typing import Any

import httpx
import pytest

from hosting import Settings, create_app
from tests.edge.in_process import in_process
from tests.harness.patience import Patience
from tests.interactions.asking_agents import PaymentRequestEvent, PaymentResponseEvent, payer

PATH = "/agents/till/sessions/s/branches/main"


async def test_a_custom_pair_that_was_registered_is_asked_listed_and_answered(database_url: str) -> None:
    app = create_app(
        {"till": payer},
        settings=Settings(database_url=database_url),
        events=[PaymentRequestEvent, PaymentResponseEvent],
    )
    async with in_process(app) as client:
        await client.post("/sessions", json={"sessionId": "s"})
        await client.post(f"{PATH}/inputs", json={"text": "12"})
        (question,) = await _listed(client, 1)

        answer = {"type": question["expectedResponseType"], "requestId": question["requestId"], "paid": 5}
        response = await client.post(f"{PATH}/responses", json=answer)
        await _listed(client, 0)
        log = (await _ended(client))[1:]

    assert (question["type"], question["expectedResponseType"]) == ("PAYMENT_REQUEST", "PAYMENT_RESPONSE")
    assert question["request"] in log
    assert response.status_code == 200
    assert "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA") == "I was paid 5 of 12."


@pytest.mark.parametrize("events", [[], [PaymentRequestEvent]], ids=["neither", "only the request"])
async def test_a_pair_that_was_not_registered_fails_the_run_and_asks_nothing(
    sqlite_url: str, events: list[type[Any]]
) -> None:
    app = create_app({"till": payer}, settings=Settings(database_url=sqlite_url), events=events)
    async with in_process(app) as client:
        await client.post("/sessions", json={"sessionId": "s"})
        await client.post(f"{PATH}/inputs", json={"text": "12"})
        log = await _ended(client)
        listed = await _listed(client, 0)

    assert listed == []
    assert "PAYMENT_REQUEST" not in [event["type"] for event in log]
    assert (log[-1]["status"], log[-1]["errorType"]) == ("failed", "NotAnEvent")


async def _listed(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    patience = Patience()
    async with asyncio.timeout(20):
        while True:
            listed: list[dict[str, Any]] = (await client.get(f"{PATH}/interactions")).json()
            if len(listed) == count:
                return listed
            await patience.wait()


async def _ended(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    patience = Patience()
    async with asyncio.timeout(20):
        while True:
            log: list[dict[str, Any]] = (await client.get("/sessions/s/branches/main/events")).json()
            if log[-1]["type"] == "BRANCH_RUN_COMPLETED":
                return log
            await patience.wait()
