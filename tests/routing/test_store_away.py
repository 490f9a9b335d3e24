"""Whatever is wrong with the store, nobody who asks for a provider fails for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hosting import create_app
from hosting.adapters.files.key_file import ensure_key_file
from hosting.domain.identity import Role
from hosting.settings import Settings
from tests.edge.deadline import seconds_until
from tests.edge.in_process import in_process
from tests.edge.outage import Outage, own_cluster
from tests.edge.test_full_disk import Disk
from tests.fleet.gate import Gate, bearer
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.routing.claimed import WORK, Claimed, Claims
from tests.routing.conftest import SHARED_KEY

Answer = tuple[int, dict[str, Any]]

# What workers wait for an answer, and what a busy machine may need besides.
PATIENCE_SECONDS = {"routing-select": 3.0, "routing-feedback": 10.0, "routing-observation": 10.0}
SLACK_SECONDS = 1.0
BACK_WITHIN_SECONDS = 20.0
FALLBACK = (200, {"selectedProvider": None, "source": "fallback"})
DISABLED = (200, {"selectedProvider": None, "source": "disabled"})
UNRECORDED = (200, {"recorded": False})
TABLES = ("api_keys", "workers", "work_items", "runs", "agent_versions", "routing_observations", "routing_posteriors")


@pytest.fixture
def outage() -> Iterator[Outage]:
    """A PostgreSQL of this test's own."""
    with own_cluster() as outage:
        yield outage


@asynccontextmanager
async def claimed_at(server: ServerProcess, key_file: Path) -> AsyncIterator[Claimed]:
    """Return a session that a worker has."""
    gate = Gate(server, key_file)
    async with AsyncExitStack() as stack:
        yield await Claims(gate, await stack.enter_async_context(gate.client()), stack)("local")


async def ask(session: Claimed, verb: str, shown: str, *, work_type: str = WORK) -> Answer:
    """Ask one of the routes; the answer must come before a worker would give up."""
    said = {"workType": work_type, "candidates": ["claude"], "provider": "claude", "reward": 1.0}
    http = session.worker.http
    async with asyncio.timeout(PATIENCE_SECONDS[verb] + SLACK_SECONDS):
        answer = await http.post(f"/api/sessions/{session.session}/{verb}", json=said, headers=bearer(shown))
    return answer.status_code, answer.json()


async def ask_all(session: Claimed, *shown: str, **more: str) -> list[Answer]:
    """Ask all of the routes with each of what opens them."""
    return await asyncio.gather(*(ask(session, verb, each, **more) for verb in PATIENCE_SECONDS for each in shown))


async def test_a_postgresql_that_hangs_or_is_gone_leaves_everybody_with_an_answer_in_time(
    outage: Outage, make_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    ensure_key_file(tmp_path / "keys")
    settings = {"key_file": tmp_path / "keys", "worker_api_key": SHARED_KEY, "routing_selector_enabled": "true"}
    server = make_server(await outage.cluster.create_database_async(), lease_seconds=10, **settings).start()
    async with claimed_at(server, tmp_path / "keys") as session:
        shown = (str(session.worker.token), await Gate(server, tmp_path / "keys").key("local", Role.WORKER), SHARED_KEY)
        before = await ask(session, "routing-select", shown[0])

        outage.freeze()
        hanging = await ask_all(session, *shown)
        outage.thaw()
        await asyncio.to_thread(outage.begin)
        gone = await ask_all(session, *shown)
        await asyncio.to_thread(outage.end)

        async def is_back() -> bool:
            return (await ask(session, "routing-feedback", shown[0]))[1]["recorded"] is True

        await seconds_until(is_back, within=BACK_WITHIN_SECONDS)
        after = await ask(session, "routing-select", shown[1])
        arm = (await session.arms())["claude", WORK]

    assert before[1]["source"] == after[1]["source"] == "mab-routing"
    assert hanging == gone == [FALLBACK] * 3 + [UNRECORDED] * 6
    assert '"why": "TimeoutError"' in server.errors.read_text()
    assert '"why": ""' not in server.errors.read_text()
    # Whatever was said meanwhile, and may have been taken after all, is the one observation of this claim.
    assert arm["totalObservations"] == 1


@pytest.mark.parametrize(("switch", "nobody"), [("true", FALLBACK), ("TRUE", DISABLED)])
async def test_a_table_that_is_gone_leaves_everybody_with_an_answer(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path, switch: str, nobody: Answer
) -> None:
    ensure_key_file(tmp_path / "keys")
    settings = {"key_file": tmp_path / "keys", "worker_api_key": SHARED_KEY, "routing_selector_enabled": switch}
    server = make_server(sqlite_url, **settings).start()
    store, answers = RawStore(sqlite_url), {}
    async with claimed_at(server, tmp_path / "keys") as session:
        key = await Gate(server, tmp_path / "keys").key("local", Role.WORKER, None)
        for table in TABLES:
            await store.run(f"ALTER TABLE {table} RENAME TO gone")
            # Of a type of its own: what is known of another one may be remembered.
            answers[table] = await ask_all(session, key, work_type=f"without {table}")
            await store.run(f"ALTER TABLE gone RENAME TO {table}")
        after = await session.observe("claude", 1.0)

    assert [status for each in answers.values() for status, _ in each] == [200] * 3 * len(TABLES)
    assert {each[0][1]["source"] for each in answers.values()} <= {nobody[1]["source"], "mab-routing"}
    assert [table for table in TABLES if answers[table][0] != nobody] == _NOT_NEEDED[switch]
    assert [table for table in TABLES if answers[table][1:] != [UNRECORDED] * 2] == ["workers"]
    assert after == {"recorded": True}


async def test_a_table_that_is_gone_from_postgresql_leaves_everybody_with_an_answer(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster, tmp_path: Path
) -> None:
    ensure_key_file(tmp_path / "keys")
    database_url = await postgres.create_database_async()
    settings = {"key_file": tmp_path / "keys", "worker_api_key": SHARED_KEY}
    server = make_server(database_url, routing_selector_enabled="true", **settings).start()
    store, answers = RawStore(database_url), {}
    async with claimed_at(server, tmp_path / "keys") as session:
        key = await Gate(server, tmp_path / "keys").key("local", Role.WORKER, None)
        # The others are looked at by the server itself all the time, and it ends when they are gone.
        for table in ("api_keys", "routing_posteriors"):
            await store.run(f"ALTER TABLE {table} RENAME TO gone")
            answers[table] = await ask_all(session, key, work_type=f"without {table}")
            await store.run(f"ALTER TABLE gone RENAME TO {table}")
        after = await session.observe("claude", 1.0)

    assert answers == {table: [FALLBACK, UNRECORDED, UNRECORDED] for table in answers}
    assert after == {"recorded": True}


# A key of the whole tenant speaks for all of its workers, and to choose nothing has to be kept.
_NOT_NEEDED = {"true": ["workers", "routing_observations"], "TRUE": []}


async def test_what_does_not_fit_on_the_disk_is_not_recorded_and_can_be_said_again(sqlite_url: str) -> None:
    disk, settings = Disk(), Settings(database_url=sqlite_url, routing_selector_enabled=True)
    async with in_process(create_app(settings=settings, on_connect=disk)) as http:
        session, worker = await _claimed_by(http)
        disk.fill()
        said = {"provider": "claude", "workType": WORK, "reward": 1.0, "issueIdentifier": "V" * 500}
        told = []
        for number in range(400):
            told.append(await worker.told(session, "routing-feedback", **said, observationId=str(number)))
            if not told[-1]["recorded"]:
                break
        chosen = await worker.told(session, "routing-select", workType=WORK, candidates=["claude"])
        disk.make_room()
        again = await worker.told(session, "routing-feedback", **said, observationId=str(len(told) - 1))
        metrics = (await http.get("/api/public/routing-metrics")).json()

    assert told[-1] == {"recorded": False}
    assert chosen["selectedProvider"] == "claude"
    assert again == {"recorded": True}
    assert metrics["posteriors"][0]["totalObservations"] == len(told)


async def _claimed_by(http: httpx.AsyncClient) -> tuple[str, FleetWorker]:
    agent = await define_worker_agent(http)
    await http.post("/sessions", json={"sessionId": "s1"})
    await http.post(f"/agents/{agent}/sessions/s1/branches/main/inputs", json={"text": "Do it."})
    worker = await FleetWorker.register(http, agentIds=[agent])
    return (await worker.claimed())["sessionId"], worker
