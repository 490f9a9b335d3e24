"""What has come of a session of no project, only its own worker's project tells."""

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.routing.claimed import WORK, metrics


async def test_the_key_of_another_project_tells_nothing_of_it_while_it_is_worked_on_nor_afterwards(gate: Gate) -> None:
    async with await gate.tenant("tellers") as client:
        web, api = [await gate.key("tellers", Role.WORKER, project) for project in ("web", "api")]
        worker, session = await claimed(client, web)
        during = [await told(client, session, key, "during") for key in (web, api)]
        await worker.told(session, "status", status="running")
        await worker.told(session, "status", status="completed")
        after = [await told(client, session, key, "after") for key in (web, api)]
        seen = await metrics(client.http)

    assert (during, after) == ([200, 404], [200, 404])
    assert {arm["provider"]: arm["totalObservations"] for arm in seen["posteriors"]} == {web[-6:]: 2}


async def claimed(client: Client, key: str) -> tuple[FleetWorker, str]:
    """Let a worker with a key take a session of no project."""
    client.agent = await define_worker_agent(client.http)
    worker = await FleetWorker.register(client.http, key=key)
    await client.accepted(await client.session(), "hello")
    return worker, str((await worker.claimed())["sessionId"])


async def told(client: Client, session: str, key: str, when: str) -> int:
    """Tell of a session with a key; what the key ends with stands for the provider."""
    said = {"provider": key[-6:], "workType": WORK, "reward": 1, "observationId": when}
    path = f"/api/sessions/{session}/routing-feedback"
    return (await client.http.post(path, json=said, headers=bearer(key))).status_code
