"""A PostgreSQL that answers nobody for a while ends no server, whatever the server's patience is told by."""

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.edge.deadline import seconds_until
from tests.edge.outage import Outage, own_cluster
from tests.harness.client import Client
from tests.harness.process import ServerProcess

LEASE_SECONDS = 2
"""After which an answer is not waited for any more; what is raised then says nothing."""
FROZEN_REQUESTS = 2
"""One is not answered, and one cannot be connected for."""


@pytest.fixture
def outage() -> Iterator[Outage]:
    """A PostgreSQL of this test's own."""
    with own_cluster() as outage:
        yield outage
        outage.thaw()


@pytest.mark.timeout(120)
async def test_a_postgresql_that_is_silent_for_longer_than_patience_ends_no_server(
    outage: Outage, make_server: Callable[..., ServerProcess]
) -> None:
    url = await outage.cluster.create_database_async()
    server = make_server(url, lease_seconds=LEASE_SECONDS, sweep_seconds=0.2).start()
    async with Client(server.url) as client:
        session = await client.session()
        running = (await client.accepted(session, "/tokens 1500 1"))["runtimeRunId"]

        outage.freeze()
        frozen = [await _made(client.http) for _ in range(FROZEN_REQUESTS)]
        alive = await client.http.get("/healthz")
        outage.thaw()

        async def is_back() -> bool:
            return (await _made(client.http)).status_code == 201

        await seconds_until(is_back, within=30)
        run = await client.ended(session, running)
        again = await client.accepted(session, "Hello")
        after = await client.ended(session, again["runtimeRunId"])

    assert [(answer.status_code, answer.json().get("code")) for answer in frozen] == [
        (503, "storage-unavailable")
    ] * FROZEN_REQUESTS
    assert "TimeoutError" in server.errors.read_text()
    assert alive.status_code == 200
    assert (run["status"], after["status"]) == ("completed", "completed")


async def _made(http: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.timeout(30):
        return await http.post("/sessions", json={}, timeout=30)
