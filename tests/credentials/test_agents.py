"""Credentials in the hands of agents and their tools."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.credentials.agency import AGENTS, Agency, failure
from tests.credentials.safe import Keeper
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.process import ServerProcess


async def test_an_agent_its_tools_and_the_agents_inside_of_it_have_those_of_the_place(
    agency: Agency, tenant: str
) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("KEY", "of the tenant")
        await own.keeper.set("KEY", "of another environment", environment="staging")
        await own.keeper.set("KEY", "of a project", project="web")
        session = await own.client.session()
        everywhere = [(await own.run(agent, "KEY"))["said"] for agent in ("teller", "caller")]
        await own.keeper.set("KEY", "of the session", session=session)
        of_session = (await own.run("teller", "KEY", session=session))["said"]
        inside = (await own.run("asker", "KEY"))["log"]

    assert everywhere == ["of the tenant"] * 2
    assert of_session == "of the session"
    assert [event["text"] for event in inside if event["type"] == "TEXT_DELTA"] == ["of the tenant"] * 2


async def test_two_tenants_at_once_each_have_their_own(agency: Agency, tenant: str) -> None:
    async with agency.of(tenant) as one, agency.of(f"{tenant}-other") as other:
        await asyncio.gather(one.keeper.set("KEY", "one"), other.keeper.set("KEY", "other"))

        runs = await asyncio.gather(*(each.run("teller", "KEY") for each in [one, other] * 5))

    assert [run["said"] for run in runs] == ["one", "other"] * 5


@pytest.mark.parametrize("agent", ["teller", "caller"])
async def test_one_that_is_missing_ends_the_run_with_an_error_that_names_it(
    agency: Agency, tenant: str, agent: str
) -> None:
    async with agency.of(tenant) as own, agency.of(f"{tenant}-other") as other:
        await other.keeper.set("KEY", "CANARY")
        await own.keeper.set("KEY", "CANARY", project="web")

        run = await own.run(agent, "KEY")
        nameless = await own.run(agent, "no such name; 'at' all")

    assert ("CredentialMissing" if agent == "teller" else "CallFailed") == failure(run)[0]
    assert "This run has no credential 'KEY'" in failure(run)[1]
    assert "no credential \"no such name; 'at' all\"" in failure(nameless)[1]
    assert "CANARY" not in str(run["log"])


async def test_a_changed_one_counts_with_the_next_run_and_a_deleted_one_is_missing(agency: Agency, tenant: str) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("KEY", "old")
        before = (await own.run("teller", "KEY"))["said"]
        await own.keeper.set("KEY", "new")
        after = (await own.run("teller", "KEY"))["said"]
        await own.keeper.delete("KEY")
        gone = await own.run("teller", "KEY")

    assert (before, after, failure(gone)[0]) == ("old", "new", "CredentialMissing")


async def test_one_that_cannot_be_read_ends_the_run_and_no_broader_one_takes_its_place(
    agency: Agency, tenant: str
) -> None:
    async with agency.of(tenant) as own:
        session = await own.client.session()
        await own.keeper.set("KEY", "of the tenant")
        await own.keeper.set("KEY", "of the session", session=session)
        await agency.execute(
            "UPDATE credentials SET sealed = (SELECT other.sealed FROM credentials AS other "
            "WHERE other.tenant = :t AND other.layer <> credentials.layer) WHERE tenant = :t AND layer LIKE :s",
            t=tenant,
            s=f"%{session}%",
        )

        run = await own.run("teller", "KEY", session=session)

    assert failure(run)[0] == "CredentialUnusable"
    assert "Credential KEY was sealed with key" in failure(run)[1]
    assert "of the tenant" not in str(run["log"])


async def test_a_secret_is_neither_kept_by_a_step_nor_shown_by_itself(agency: Agency, tenant: str) -> None:
    async with agency.of(tenant) as own:
        await own.keeper.set("KEY", "CANARY-of-a-step")

        run = await own.run("keeper", "KEY")
        kept = await agency.execute("SELECT result FROM steps WHERE result IS NOT NULL")

    assert run["said"].startswith("refused Secret(***)")
    assert "CANARY-of-a-step" not in str(run["log"])
    assert b"CANARY-of-a-step" not in b"".join(bytes(result) for (result,) in kept)
    assert "CANARY-of-a-step" not in agency.server.errors.read_text()


@pytest.mark.timeout(90)
async def test_a_run_that_begins_again_after_kill_nine_looks_once_more(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    keys = {} if database_url.startswith("sqlite") else {"key_file": _key_file(tmp_path)}
    server = make_server(database_url, AGENTS, lease_seconds=1, **keys).start()
    notes = tmp_path / "cut.txt"
    async with Client(server.url, "twice") as client:
        await Keeper(client.http).set("KEY", "old")
        session = await client.session()
        run = (await client.accepted(session, "cut"))["runtimeRunId"]
        await seconds_until(lambda: _holds(notes, "first"), within=20)
        await Keeper(client.http).set("KEY", "new")
        server.kill()

    async with Client(server.start().url, "twice") as client:
        (tmp_path / "cut.gate").touch()
        ended = await client.ended(session, run)

    assert ended["status"] == "completed"
    assert notes.read_text().splitlines() == ["first old", "second new"]


async def _holds(path: Path, word: str) -> bool:
    return await asyncio.to_thread(lambda: path.exists() and word in path.read_text())


def _key_file(folder: Path) -> Path:
    ensure_key_file(folder / "keys")
    return folder / "keys"
