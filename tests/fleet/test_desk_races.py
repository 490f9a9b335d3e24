"""Reports of one worker that come at once: each is taken, or told why not, and none is half written."""

import asyncio

import httpx

from tests.fleet.relaying import Work
from tests.fleet.reporting import assigned, told_of
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.worker import FleetWorker, define_worker_agent

ROUNDS = 12


async def test_what_comes_with_the_end_is_taken_before_it_or_refused(local: httpx.AsyncClient) -> None:
    agent = await define_worker_agent(local)
    worker = await FleetWorker.register(local, agentIds=[agent])
    seen: set[tuple[int, ...]] = set()

    for _ in range(ROUNDS):
        client = Client(str(local.base_url))
        await client.http.aclose()
        client.http, client.agent = local, agent
        session = await client.session()
        run = (await client.accepted(session, "Hello."))["runtimeRunId"]
        work = Work(client, worker, session, run, (await worker.claimed())["sessionId"])
        await work.published("turn-0", (0, "Let me "))
        answers = await asyncio.gather(
            worker.report(work.id, "status", status="failed"),
            work.relay("turn-0", (1, "look.")),
            worker.report(work.id, "completion", summary="Nothing there."),
        )
        log = await client.log(session)
        check_log(log)
        seen.add(tuple(answer.status_code for answer in answers))
        assert told_of(log, "BRANCH_RUN_COMPLETED")[0]["status"] == "failed"

    legal = {(200, frames, words) for frames in (200, 409) for words in (200, 409)}
    assert seen <= legal


async def test_a_worker_of_ours_may_report_like_any_other_before_it_writes(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.worker.told(work.id, "take")

    told = await work.worker.report(work.id, "activity", activity={"type": "thought", "content": "Hm."})
    await work.published("turn-0", (0, "Nothing there."))
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    kinds = [event["type"] for event in log]
    assert told.status_code == 200
    assert kinds.index("MESSAGE_TURN_STARTED") < kinds.index("WORK_ACTIVITY")


async def test_a_message_has_a_longest_length_that_its_worker_is_told(local: httpx.AsyncClient) -> None:
    work, much = await assigned(local), 1_000_000
    for index in range(4):
        await work.published("turn-0", (index, "a" * much))

    refused = await work.relay("turn-0", (4, "\u00e4" * 100_000), (5, "b"))
    call = {"type": "action", "content": "Read", "toolName": "Read", "toolInput": "c" * 200_000, "toolUseId": "tu_1"}
    too_much = await work.worker.report(work.id, "activity", activity=call)
    last = await work.published(
        "turn-0", (4, "d" * 100_000), {"index": 5, "text": "", "done": True}, (6, "e" * 800_000)
    )
    again = await work.worker.report(work.id, "activity", activity=call)
    await work.worker.told(work.id, "status", status="completed")

    check_log(await work.client.log(work.session))
    assert [refused.status_code, too_much.status_code, again.status_code] == [400, 400, 200]
    assert "at most 4194304 bytes" in refused.json()["message"]
    assert last == 3
