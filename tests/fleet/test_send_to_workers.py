"""`branchline send` to agents whose work is done by workers."""

import asyncio

from tests.cli.sending import Sending
from tests.fleet.own import has, seen
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_ctrl_c_ends_a_run_that_no_worker_has_taken(client: Client) -> None:
    agent = await define_worker_agent(client.http, "nobody")
    session = await client.session()
    with Sending("hi", "--agent", agent, "--session", session, url=client.base) as sending:
        await seen(client, session, has("BRANCH_RUN_STARTED"))
        await asyncio.to_thread(sending.read_errors_until, "waits for a worker.")

        sending.interrupt()
        sent = await asyncio.to_thread(sending.end)

    assert sent.status == 130
    assert "The run was cancelled: Ctrl-C in `branchline send`." in sent.errors


async def test_what_is_added_to_a_run_says_so_and_shows_the_rest_of_its_answer(client: Client) -> None:
    agent = await define_worker_agent(client.http, "hears", furtherInputs="inject")
    client.agent = agent
    session = await client.session()
    await client.accepted(session, "Tell me.")
    worker = await FleetWorker.register(client.http, agentIds=[agent])
    item = await worker.claimed()
    await worker.told(item["sessionId"], "status", status="running")
    with Sending("more", "--agent", agent, "--session", session, "--queue", url=client.base) as sending:
        await asyncio.to_thread(sending.read_errors_until, "Added to the run that is active.")

        await worker.say(item["sessionId"], "And more.")
        await worker.told(item["sessionId"], "status", status="completed")
        sent = await asyncio.to_thread(sending.end)

    assert (sent.status, sent.errors) == (0, "Added to the run that is active.\n")
    assert sent.out == "And more.\n"


async def test_an_agent_that_is_asked_for_by_its_name_is_named_by_its_id(client: Client) -> None:
    agent = await define_worker_agent(client.http, "painter")
    with Sending("hi", "--agent", "painter", url=client.base) as named:
        sent = await asyncio.to_thread(named.end)
    with Sending("hi", "--agent", "sculptor", url=client.base) as unknown:
        other = await asyncio.to_thread(unknown.end)

    assert (sent.status, other.status) == (1, 1)
    assert f"One that is called so answers under its id: --agent {agent}." in sent.errors
    assert f"It has demo, {agent}." in other.errors
