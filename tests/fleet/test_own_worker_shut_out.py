"""A worker of our own whose key is revoked, that is told twice to stop, or that an operator tells something."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from hosting.domain.identity import Role
from tests.edge.deadline import seconds_until
from tests.fleet.gate import Gate
from tests.fleet.own import AGENTS, WITHIN_SECONDS, Site, has, seen, told
from tests.harness.client import Client
from tests.harness.worker import define_worker_agent
from tests.harness.worker_process import WorkerProcess

LEASE_SECONDS: Final = 4.0
SENTENCE = (
    "branchline worker cannot go on: The key opens nothing any more; a worker with another key goes on with the runs."
)


@pytest.mark.parametrize("busy", [False, True])
async def test_a_worker_whose_key_is_revoked_ends_with_one_sentence(gate: Gate, tmp_path: Path, *, busy: bool) -> None:
    name = f"locked-{tmp_path.name}"
    kept, key = await gate.known_key(name, Role.WORKER)
    with WorkerProcess(tmp_path, gate.server.url, AGENTS, "--key", key) as worker:
        async with await gate.tenant(name) as client:
            client.agent = await define_worker_agent(client.http, "stayer")
            if busy:
                session = await client.session()
                await client.accepted(session, "stay")
                await seen(client, session, lambda log: told(log) == "I stay.")

        async with gate.keys() as stored:
            await stored.revoke(kept.id, datetime.now(UTC))
        status = worker.wait()

    errors = worker.errors.read_text()
    assert (status, SENTENCE in errors) == (1, True), errors
    assert "Traceback" not in errors


async def test_a_worker_that_is_told_twice_to_stop_gives_back_what_it_has_at_once(
    site: Site, reader: Client, tmp_path: Path
) -> None:
    await site.define(reader, "stayer")
    with WorkerProcess(tmp_path, site.server.url, AGENTS, grace_seconds=60) as worker:
        session = await reader.session()
        await reader.accepted(session, "stay")
        await seen(reader, session, lambda log: told(log) == "I stay.")

        worker.signal(signal.SIGTERM)
        assert worker.tells("Draining: 1 run goes on for at most 60 s; once more ends that.")
        worker.signal(signal.SIGTERM)
        status = worker.wait()

    log = await seen(reader, session, has("WORK_RETURNED"))
    # Or the worker of the next test would do it.
    await reader.http.post(f"/agents/{reader.agent}/sessions/{session}/branches/main/interrupt", json={})
    await seen(reader, session, has("BRANCH_RUN_COMPLETED"))
    (returned,) = (event for event in log if event["type"] == "WORK_RETURNED")
    assert (status, returned["reason"]) == (0, "refused")


async def test_a_worker_stops_what_an_operator_kills_and_says_so_without_a_warning(
    site: Site, reader: Client, tmp_path: Path
) -> None:
    await site.define(reader, "stayer")
    with WorkerProcess(tmp_path, site.server.url, AGENTS) as worker:
        session, home = await reader.session(), f"/api/workers/{worker.worker_id}"
        await reader.accepted(session, "stay")
        await seen(reader, session, lambda log: told(log) == "I stay.")
        (killed,) = (await reader.http.get(home)).json()["sessions"]

        for op, params in (("session.kill", {"sessionId": killed}), ("project.disable", {"projectId": "web"})):
            await reader.http.post(f"{home}/mutations", json={"op": op, "params": params})
        asked = (await reader.http.get(home)).json()["pendingMutations"]

        async def answered() -> bool:
            return (await reader.http.get(home)).json()["pendingMutations"] == []

        await seconds_until(answered, within=WITHIN_SECONDS)
        log = await seen(reader, session, has("BRANCH_RUN_COMPLETED"))
        status = worker.stop()

    (began,) = (event for event in log if event["type"] == "MESSAGE_TURN_STARTED")
    (ended,) = (event for event in log if event["type"] == "MESSAGE_TURN_FINISHED")
    assert (status, len(asked), log[-1]["status"]) == (0, 2, "cancelled")
    assert ended["agentName"] == began["agentName"] == "stayer"
    assert float(ended["duration"].removeprefix("PT").removesuffix("S")) > 0.01
    assert '"level": "warning"' not in worker.errors.read_text()
