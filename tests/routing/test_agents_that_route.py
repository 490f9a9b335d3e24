"""Agents that choose among candidates by RunContext.route: once in a run, and learnt from in the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import define_worker_agent
from tests.harness.worker_process import WorkerProcess
from tests.routing.candidates import arms, new_work, noted, observed, run, written
from tests.routing.conftest import ROUTED_AGENTS
from tests.routing.routed_agents import CANDIDATES

SOON = {"lease_seconds": 2, "sweep_seconds": 0.1}
"""After a crash its runs are soon taken up on PostgreSQL too."""
MakeServer = Callable[..., ServerProcess]


@pytest.fixture
async def client(routing_agents: ServerProcess) -> AsyncIterator[Client]:
    """A client of the agent that chooses."""
    async with Client(routing_agents.url, "chooses") as client:
        yield client


async def _interrupted(client: Client, text: str, notes: Path) -> None:
    session = await client.session()
    accepted = await client.accepted(session, text)
    await written(notes, 1)
    response = await client.http.post(f"{client.path(session)}/interrupt", json={})
    assert response.status_code == 202, response.text
    await client.ended(session, accepted["runtimeRunId"])


async def test_what_a_run_comes_to_is_learnt_of_whom_it_was_given_to(
    client: Client, routing_agents: ServerProcess
) -> None:
    good, bad, stopped = new_work(), new_work(), new_work()

    done = await run(client, f"say {good}")
    failed = await run(client, f"fail {bad}")
    await _interrupted(client, f"wait {stopped}", routing_agents.folder / f"chosen-{stopped}")

    (chosen,) = noted(routing_agents.folder / f"chosen-{good}")
    (seen,) = await observed(client, good)
    assert (done["status"], failed["status"]) == ("completed", "failed")
    assert (seen["provider"], seen["sessionId"], seen["taskCompleted"]) == (chosen, done["sessionId"], True)
    assert 0.99 < seen["reward"] <= 1
    assert "totalCostUsd" not in seen
    assert 0 <= seen["wallClockMs"] < 60_000
    (seen,) = await observed(client, bad)
    assert (seen["reward"], seen["taskCompleted"]) == (0, False)
    assert not await observed(client, stopped)
    assert not await arms(client, stopped)


async def test_a_dear_run_is_worth_less_and_what_is_no_cost_spoils_nothing(client: Client) -> None:
    for cost, reward, told in (("2.5", 0.95, 2.5), ("100", 0.9, 100), ("nan", 1, None), ("-1", 1, None)):
        work = new_work()

        await run(client, f"spend={cost} {work}")

        (seen,) = await observed(client, work)
        assert abs(reward - seen["reward"]) < 0.01
        assert seen.get("totalCostUsd") == told


async def test_work_inside_of_an_agent_is_learnt_of_with_its_own_end(
    client: Client, routing_agents: ServerProcess
) -> None:
    good, bad, stopped = new_work(), new_work(), new_work()
    client.agent = "boss"

    await run(client, f"say {good}")
    survived = await run(client, f"fail {bad}")
    await _interrupted(client, f"wait {stopped}", routing_agents.folder / f"chosen-{stopped}")

    assert survived["status"] == "completed"
    assert [round(seen["reward"]) for seen in await observed(client, good)] == [1]
    assert [seen["reward"] for seen in await observed(client, bad)] == [0]
    assert not await observed(client, stopped)


async def test_after_kill_9_a_run_has_the_candidate_that_it_had_and_is_observed_once(
    make_server: MakeServer, database_url: str
) -> None:
    server = make_server(database_url, ROUTED_AGENTS, routing_selector_enabled="true", **SOON).start()
    works = {"chooses": [new_work(), new_work()], "boss": [new_work(), new_work()]}
    accepted = []
    async with Client(server.url) as client:
        for client.agent, types in works.items():
            for work in types:
                session = await client.session()
                accepted.append((session, (await client.accepted(session, f"wait {work}"))["runtimeRunId"], work))
                await written(server.folder / f"chosen-{work}", 1)

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as after:
        for session, run_id, work in accepted:
            run = await after.ended(session, run_id)
            before, again = noted(server.folder / f"chosen-{work}")
            assert ("completed", before) == (run["status"], again)
            assert [before] == [seen["provider"] for seen in await observed(after, work)]


async def test_a_run_that_is_given_up_is_learnt_of_too(make_server: MakeServer, database_url: str) -> None:
    server, work = (
        make_server(database_url, ROUTED_AGENTS, run_attempts=1, **SOON).start(),
        new_work(),
    )
    async with Client(server.url, "chooses") as client:
        session = await client.session()
        run_id = (await client.accepted(session, f"wait {work}"))["runtimeRunId"]
        await written(server.folder / f"chosen-{work}", 1)

    server.kill()
    server.start()

    async with Client(server.url) as after:
        run = await after.ended(session, run_id)
        (seen,) = await observed(after, work)
        assert (run["status"], run["error"]["type"]) == ("failed", "RunLost")
        assert (CANDIDATES[0], 0) == (seen["provider"], seen["reward"])


async def test_a_selector_that_is_off_takes_the_first_candidate_and_learns_all_the_same(
    make_server: MakeServer, database_url: str
) -> None:
    server, work = make_server(database_url, ROUTED_AGENTS, routing_selector_enabled="1").start(), new_work()
    async with Client(server.url, "chooses") as client:
        for _ in range(4):
            await run(client, f"say {work}")

        assert {CANDIDATES[0]: 4} == {
            name: arm["totalObservations"] for name, arm in (await arms(client, work)).items()
        }


async def test_candidates_that_are_none_fail_the_run_and_the_agents_id_is_the_type_of_work(client: Client) -> None:
    client.agent = "wants"

    fine = await run(client, "a,a")
    none = await run(client, ",a")
    # The longest that there is: four bytes of each sign are still what an index takes.
    longest = await run(client, "\N{OX}" * 200)
    long = await run(client, f"a,{'x' * 201}")

    assert [each["status"] for each in (fine, none, longest, long)] == ["completed", "failed", "completed", "failed"]
    assert (await arms(client, "wants")).keys() == {"a", "\N{OX}" * 200}


_REFUSING = {
    "sqlite": (
        "CREATE TRIGGER refusing BEFORE INSERT ON routing_posteriors WHEN NEW.work_type LIKE 'refused%' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    # As if an index could not hold the name.
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.work_type LIKE 'refused%' THEN RAISE EXCEPTION 'no' USING ERRCODE = '54000'; END IF; "
        "RETURN NEW; END $$",
        "CREATE TRIGGER refusing BEFORE INSERT ON routing_posteriors FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
}


async def test_what_cannot_be_learnt_keeps_no_run_from_its_end_nor_others_from_being_learnt_of(
    make_server: MakeServer, database_url: str
) -> None:
    server = make_server(database_url, ROUTED_AGENTS, routing_selector_enabled="true").start()
    for statement in _REFUSING[database_url.partition("+")[0]]:
        await RawStore(database_url).run(statement)
    works = [f"refused-{new_work()}" if number % 2 else new_work() for number in range(12)]
    async with Client(server.url, "chooses") as client:
        runs = await asyncio.gather(*(run(client, f"say {work}") for work in works))
        rated = await client.http.post(
            f"{client.path(runs[1]['sessionId'])}/runs/{runs[1]['runtimeRunId']}/rating", json={"rating": 1}
        )

        assert [each["status"] for each in runs] == ["completed"] * len(works)
        assert rated.status_code == 200
        assert [len(await observed(client, work)) for work in works] == [1, 0] * (len(works) // 2)
        assert server.errors.read_text().count("an observation cannot be stored") == len(works) // 2 + 1


async def test_a_worker_of_our_own_takes_the_first_and_nothing_is_learnt_of_that(
    client: Client, routing_agents: ServerProcess, tmp_path: Path
) -> None:
    works = [new_work() for _ in range(3)]
    client.agent = await define_worker_agent(client.http, name="chooses")

    with WorkerProcess(tmp_path, routing_agents.url, ROUTED_AGENTS):
        runs = [await run(client, f"say {work}") for work in works]

    chosen = [noted(tmp_path / f"chosen-{work}") for work in works]
    assert [each["status"] for each in runs] == ["completed"] * 3
    assert chosen == [[CANDIDATES[0]]] * 3
    assert [await arms(client, work) for work in works] == [{}] * 3
