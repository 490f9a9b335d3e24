"""Credentials in the hands of what works at a worker of our own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.domain.identity import Role
from tests.credentials.agency import AGENTS, Principal, failure
from tests.credentials.safe import Safe, bearer
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.harness.worker_process import WorkerProcess

Json = dict[str, Any]


@dataclass(frozen=True)
class Yard(Safe):
    """A server whose workers' leases are short."""

    @asynccontextmanager
    async def of(self, tenant: str) -> AsyncIterator[Principal]:
        """Return the hands of a tenant's operator, who also uses its agents."""
        async with Client(self.server.url) as client:
            client.http.headers.update(bearer(await self.key(tenant, Role.OPERATOR)))
            yield Principal(client)

    async def worker(self, tenant: str, folder: Path, log: str = "worker.log", **settings: object) -> WorkerProcess:
        """Return a worker of a tenant, yet to be started."""
        key = await self.key(tenant, Role.WORKER)
        return WorkerProcess(folder, self.server.url, AGENTS, "--key", key, log=log, **settings)


@pytest.fixture(scope="module", params=DATABASES)
def yard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """Such a server on a database of each kind."""
    folder = tmp_path_factory.mktemp("yard")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    settings = {"key_file": folder / "keys", "sweep_seconds": 0.1, "worker_lease_seconds": 3, "worker_api_key": "old"}
    with ServerProcess(folder, database_url, **settings) as server:
        yield Yard(server, folder / "keys")


async def test_a_run_at_a_worker_has_what_counts_where_it_is(yard: Yard, tenant: str, tmp_path: Path) -> None:
    async with yard.of(tenant) as own, yard.of(f"{tenant}-other") as other:
        await own.keeper.set("KEY", "of the tenant")
        await own.keeper.set("KEY", "of a project", project="web")
        await own.keeper.set("KEY", "of staging", environment="staging")
        await other.keeper.set("OTHERS", "CANARY")
        outside = await define_worker_agent(own.client.http, "teller")
        inside = await define_worker_agent(own.client.http, "teller", projectName="web")
        session = await own.client.session()
        await own.keeper.set("KEY", "of the session", session=session)

        with await yard.worker(tenant, tmp_path) as worker:
            said = [
                (await own.run(outside, "KEY"))["said"],
                (await own.run(inside, "KEY"))["said"],
                (await own.run(inside, "KEY", session=session))["said"],
            ]
            missing = await own.run(outside, "OTHERS")
            worker.stop()
        with await yard.worker(tenant, tmp_path, "staging.log", credentials_environment="staging") as worker:
            of_staging = (await own.run(outside, "KEY"))["said"]
            await own.keeper.set("KEY", "new", environment="staging")
            changed = (await own.run(outside, "KEY"))["said"]
            await own.keeper.delete("KEY", environment="staging")
            deleted = (await own.run(outside, "KEY"))["said"]
            worker.stop()
        logged = worker.errors.read_text() + (tmp_path / "worker.log").read_text()
        (first, *_) = await own.keeper.audit(12)
        taken = [entry for entry in await own.keeper.audit(12) if entry["action"] == "snapshot"]

    assert said == ["of the tenant", "of a project", "of the session"]
    assert (of_staging, changed, deleted) == ("of staging", "new", "of the tenant")
    assert failure(missing) == (
        "CredentialMissing",
        "This run has no credential 'OTHERS'; an operator sets it, as `branchline credentials set` does.",
    )
    assert first["action"] == "set"
    assert {entry["by"][:4] for entry in taken} == {"wkr_"}
    assert not any(value in logged for value in [*said, of_staging, "CANARY"])


async def test_a_worker_without_a_key_of_its_own_has_them_by_its_token_and_one_with_the_shared_key_never(
    yard: Yard, tenant: str, tmp_path: Path
) -> None:
    async with Client(yard.server.url) as client:
        own = Principal(client)
        await own.keeper.set(f"KEY_{tenant[2:]}", "of the tenant local")
        agent = await define_worker_agent(client.http, "teller")
        with WorkerProcess(tmp_path, yard.server.url, AGENTS) as worker:
            near = await own.run(agent, f"KEY_{tenant[2:]}")
            worker.stop()
        with WorkerProcess(tmp_path, yard.server.url, AGENTS, "--key", "old", log="shared.log") as worker:
            shared = await own.run(agent, f"KEY_{tenant[2:]}")
            worker.stop()

    assert near["said"] == "of the tenant local"
    assert failure(shared)[0] == "CredentialUnusable"
    assert "the key that workers share opens no credentials" in failure(shared)[1]


async def test_a_run_that_another_worker_goes_on_with_looks_once_more(yard: Yard, tenant: str, tmp_path: Path) -> None:
    notes = tmp_path / "cut.txt"
    async with yard.of(tenant) as own:
        await own.keeper.set("KEY", "old")
        own.client.agent = await define_worker_agent(own.client.http, "twice")
        session = await own.client.session()
        with await yard.worker(tenant, tmp_path) as first:
            run = (await own.client.accepted(session, "cut"))["runtimeRunId"]
            await seconds_until(lambda: _holds(notes, "first"), within=20)
            await own.keeper.set("KEY", "new")
            first.kill()
        with await yard.worker(tenant, tmp_path, "second.log"):
            (tmp_path / "cut.gate").touch()
            ended = await own.client.ended(session, run)

    assert ended["status"] == "completed"
    assert notes.read_text().splitlines() == ["first old", "second new"]


async def test_a_run_takes_them_once_a_minute_and_the_next_run_anew(yard: Yard, tenant: str, tmp_path: Path) -> None:
    async with yard.of(tenant) as own:
        await own.keeper.set("KEY", "old")
        own.client.agent = agent = await define_worker_agent(own.client.http, "twice")
        session = await own.client.session()
        with await yard.worker(tenant, tmp_path):
            run = (await own.client.accepted(session, "one"))["runtimeRunId"]
            await seconds_until(lambda: _holds(tmp_path / "one.txt", "first"), within=20)
            await own.keeper.set("KEY", "new")
            (tmp_path / "one.gate").touch()
            await own.client.ended(session, run)
            (tmp_path / "two.gate").touch()
            await own.run(agent, "two", session=session)
        taken = [entry for entry in await own.keeper.audit(4) if entry["action"] == "snapshot"]

    assert (tmp_path / "one.txt").read_text().splitlines() == ["first old", "second old"]
    assert (tmp_path / "two.txt").read_text().splitlines() == ["first new", "second new"]
    assert [entry["names"] for entry in taken] == [["KEY"]] * 2


async def test_one_that_cannot_be_read_ends_the_run_and_the_worker_goes_on(
    yard: Yard, tenant: str, tmp_path: Path
) -> None:
    async with yard.of(tenant) as own:
        await own.keeper.set("KEY", "CANARY")
        await yard.execute("UPDATE credentials SET name = 'MOVED' WHERE tenant = :tenant", tenant=tenant)
        agent = await define_worker_agent(own.client.http, "teller")
        with await yard.worker(tenant, tmp_path):
            unreadable = await own.run(agent, "MOVED")
            await own.keeper.delete("MOVED")
            gone = await own.run(agent, "MOVED")

    assert failure(unreadable)[0] == "CredentialUnusable"
    assert "Credential MOVED was sealed with key" in failure(unreadable)[1]
    assert failure(gone)[0] == "CredentialMissing"


async def test_only_the_worker_that_has_a_session_is_given_its_credentials(yard: Yard, tenant: str) -> None:
    async with yard.of(tenant) as own, yard.client() as http, yard.holder(f"{tenant}-other") as stranger:
        await own.keeper.set("KEY", "sk-mine")
        own.client.agent = await define_worker_agent(own.client.http)
        await own.client.accepted(await own.client.session(), "Hello")
        key = await yard.key(tenant, Role.WORKER)
        holder, other = [await FleetWorker.register(http, key=key) for _ in range(2)]
        session = (await holder.claimed())["sessionId"]
        path = f"/api/sessions/{session}/credentials"

        async def asks(shown: str, query: str = "") -> tuple[int, str]:
            answer = await http.get(path + query, headers=bearer(shown))
            body = answer.json()
            return answer.status_code, str(body.get("env") or body["message"])

        given = [await asks(str(holder.token)), await asks(key, f"?worker={holder.id}")]
        refused = [
            await asks(str(other.token)),
            await asks(key, f"?worker={other.id}"),
            await asks("old", f"?worker={holder.id}"),
            (await http.get(path, params={"worker": holder.id})).status_code,
            (await stranger.http.get(path, params={"worker": holder.id})).status_code,
        ]
        await holder.told(session, "status", status="running")
        await holder.told(session, "status", status="completed")
        after = await asks(str(holder.token))

    assert given == [(200, "{'KEY': 'sk-mine'}")] * 2
    assert [answer if isinstance(answer, int) else answer[0] for answer in refused] == [403, 403, 403, 403, 404]
    assert after[0] == 409


async def _holds(path: Path, word: str) -> bool:
    return path.exists() and word in path.read_text()  # noqa: ASYNC240 - two small files
