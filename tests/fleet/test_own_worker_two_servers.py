"""Batches of one run that come to two servers of one database."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_each_batch_is_written_once_whichever_server_it_comes_to(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster, key_file: Path
) -> None:
    url = await postgres.create_database_async()
    here, there = (make_server(url, key_file=key_file).start() for _ in range(2))
    async with Client(here.url) as client, Client(there.url) as other:
        client.agent = await define_worker_agent(client.http, "helper")
        session = await client.session()
        await client.accepted(session, "Say hello.")
        worker = await FleetWorker.register(client.http, agentIds=[client.agent])
        elsewhere = FleetWorker(other.http, worker.registered)
        item = (await worker.claimed())["sessionId"]
        run = await worker.told(item, "take")

        async def keep(hands: FleetWorker, batch: int, value: int) -> bool:
            change = {"change": "keepState", "name": f"agent:{batch}", "value": value}
            event = {"type": "BRANCH_MIDDLEWARE_STATE_COMMITTED", "state": {f"agent:{batch}": str(value)}}
            body = {"claim": run["claim"], "batch": batch, "changes": [change], "events": [event]}
            return bool((await hands.told(item, "units", **body)).get("isRepeated", False))

        repeated = [
            await keep(worker, 1, 1),
            await keep(elsewhere, 2, 2),
            await keep(worker, 2, 20),
            await keep(worker, 3, 3),
            await keep(elsewhere, 3, 30),
            await keep(elsewhere, 4, 4),
            await keep(worker, 5, 5),
        ]

        log = await client.log(session)
    kept = [event["state"] for event in log if event["type"] == "BRANCH_MIDDLEWARE_STATE_COMMITTED"]
    assert repeated == [False, False, True, False, True, False, False]
    assert kept == [{f"agent:{batch}": str(batch)} for batch in range(1, 6)]
