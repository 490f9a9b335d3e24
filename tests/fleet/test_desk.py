"""Where a worker's reports are written: one place for a run, which outlives every server that it was at."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import item_within
from tests.fleet.relaying import Work, done
from tests.fleet.reporting import act, assigned, calls, messages, said, state, told_of
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

Json = dict[str, Any]
Make = Callable[..., ServerProcess]


@pytest.fixture
def make(make_server: Make, key_file: Path) -> Make:
    """Make servers that share what they sign with."""

    def make(database_url: str, **settings: object) -> ServerProcess:
        given: Json = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1} | settings
        return make_server(database_url, **given).start()

    return make


@pytest.fixture
def shared_url(postgres: PostgresCluster) -> str:
    """A database that two servers can be on."""
    return postgres.create_database()


async def moved(work: Work, server: ServerProcess) -> None:
    """Let a worker and its client go on at another server, or at the same one when it has started again."""
    await work.client.http.aclose()
    work.client.http = httpx.AsyncClient(base_url=server.url, timeout=30)
    work.worker.http = work.client.http


async def test_a_worker_goes_on_through_kills_of_its_server_at_every_step(make: Make, database_url: str) -> None:
    server = make(database_url)
    work = await assigned(httpx.AsyncClient(base_url=server.url, timeout=30))

    async def again() -> None:
        server.kill()
        server.start()
        await moved(work, server)

    await work.worker.told(work.id, "status", status="running", inputTokens=3)
    await again()
    await work.published("turn-0", (0, "Let me "), (1, "look"))
    await again()
    repeated = await work.published("turn-0", (1, "look"), (2, "."))
    await act(work, "Read", toolName="Read", toolUseId="tu_1")
    await act(work, "Grep", toolName="Grep", toolUseId="tu_2")
    await again()
    await act(work, "Read result", toolUseId="tu_1", toolOutput="one")
    await again()
    for _ in range(2):
        await act(work, "Read", toolName="Read", toolUseId="tu_1")
        await act(work, "Read result", toolUseId="tu_1", toolOutput="one")
        await act(work, "Grep result", toolUseId="tu_2", toolOutput="two")
    await work.published("turn-0", (3, "Nothing"), (4, " there."), done(5))
    await again()
    await work.worker.told(work.id, "completion", summary="Nothing there.")
    seen = await state(work)
    await work.worker.told(work.id, "status", status="completed", outputTokens=4)
    await again()
    replay = await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert repeated == 1
    assert await said(work) == ["Let me look.", "Nothing there."]
    assert calls(log) == [
        ("START", "tu_1"),
        ("ARGS", "tu_1"),
        ("START", "tu_2"),
        ("ARGS", "tu_2"),
        ("RESULT", "tu_1"),
        ("END", "tu_1"),
        ("RESULT", "tu_2"),
        ("END", "tu_2"),
    ]
    assert len(told_of(log, "MESSAGE_TURN_STARTED")) == len(told_of(log, "WORK_CLAIMED")) == 1
    assert told_of(log, "MODEL_CALL_RETRY") == told_of(log, "WORK_RETURNED") == told_of(log, "WORK_ACTIVITY") == []
    assert told_of(log, "MESSAGE_TURN_FINISHED")[0]["usage"] == {"inputTokens": 3, "outputTokens": 4}
    assert (seen["toolCallCount"], seen["lastToolName"], replay["session"]["status"]) == (2, "Grep", "completed")
    await work.client.http.aclose()


async def test_the_last_response_outlives_the_server_it_was_told_to(make: Make, database_url: str) -> None:
    server = make(database_url)
    work = await assigned(httpx.AsyncClient(base_url=server.url, timeout=30))
    await act(work, "This is it.", "response")
    server.kill()
    server.start()
    await moved(work, server)

    await work.worker.told(work.id, "status", status="completed")

    check_log(await work.client.log(work.session))
    assert await said(work) == ["This is it."]
    await work.client.http.aclose()


async def test_two_servers_take_the_reports_of_one_session_in_turn(make: Make, shared_url: str) -> None:
    servers = [make(shared_url) for _ in range(2)]
    work = await assigned(httpx.AsyncClient(base_url=servers[0].url, timeout=30))

    for index in range(0, 12, 2):
        await moved(work, servers[index // 2 % 2])
        await work.published("turn-0", (index, f"{index} "), (index + 1, f"{index + 1} "))
        if index == 4:
            await act(work, "Read", toolName="Read", toolUseId="tu_1")
        elif index == 6:
            await act(work, "Read result", toolUseId="tu_1", toolOutput="late")
    await moved(work, servers[1])
    await work.worker.told(work.id, "status", status="completed")
    await moved(work, servers[0])
    replay = await work.worker.report(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert replay.status_code == 200
    assert "".join(text for _, text in await messages(work)).split() == [str(each) for each in range(12)]
    assert told_of(log, "MODEL_CALL_RETRY") == []
    await work.client.http.aclose()


async def test_two_servers_take_the_reports_of_one_session_at_once(make: Make, shared_url: str) -> None:
    servers = [make(shared_url) for _ in range(2)]
    work = await assigned(httpx.AsyncClient(base_url=servers[0].url, timeout=30))
    answers: list[int] = []

    async def think(server: ServerProcess, name: str) -> None:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            for index in range(15):
                body = {"activity": {"type": "thought", "content": f"{name} {index}"}}
                told = await http.post(f"/api/sessions/{work.id}/activity", json=body, headers=work.worker.headers)
                answers.append(told.status_code)

    await asyncio.gather(*(think(server, name) for server, name in zip(servers, "ab", strict=True)))
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    told = [event["content"] for event in told_of(log, "WORK_ACTIVITY")]
    assert set(answers) <= {200, 503}
    assert len(told) == len(set(told)) == answers.count(200)
    for name in "ab":
        own = [int(content.split()[1]) for content in told if content.startswith(name)]
        assert own == sorted(own)
    await work.client.http.aclose()


async def test_a_worker_that_is_new_to_a_run_writes_what_was_cut_anew(make: Make, database_url: str) -> None:
    server = make(database_url, worker_lease_seconds=1)
    async with Client(server.url) as client:
        work = await assigned(client.http)
        await work.published("turn-0", (0, "First I "), (1, "looked."), done(2))
        await act(work, "Read", toolName="Read", toolUseId="tu_1")
        await act(work, "Read result", toolUseId="tu_1", toolOutput="one")
        await work.published("turn-1", (0, "And then I was"))
        heir = await FleetWorker.register(client.http)
        await item_within(heir)
        work.worker = heir

        await act(work, "Read", toolName="Read", toolUseId="tu_1")
        await act(work, "Read result", toolUseId="tu_1", toolOutput="two")
        await work.published("turn-0", (0, "Here it is."), done(1))
        await work.worker.told(work.id, "completion", summary="Here it is.")
        await work.worker.told(work.id, "status", status="completed")

        log = await work.client.log(work.session)
        check_log(log)
        assert await said(work) == ["First I looked.", "Here it is."]
        (retry,) = told_of(log, "MODEL_CALL_RETRY")
        assert (retry["exceptionType"], retry["attempt"], retry["maxRetries"]) == ("WorkerLost", 1, 4)
        assert [event["isResume"] for event in told_of(log, "MESSAGE_TURN_STARTED")] == [False, True]
        results = [(event["callId"], event["result"]["text"]) for event in told_of(log, "TOOL_CALL_RESULT")]
        assert results == [("tu_1", "one"), ("tu_1-2", "two")]


async def test_calls_that_a_lost_worker_left_open_are_given_up_when_the_next_begins(
    make: Make, database_url: str
) -> None:
    server = make(database_url, worker_lease_seconds=1)
    async with Client(server.url) as client:
        for said_before in (True, False):
            work = await assigned(client.http)
            if said_before:
                await work.published("turn-0", (0, "I will look."))
            await act(work, "Read", toolName="Read", toolUseId="tu_1")
            await act(work, "Grep", toolName="Grep", toolUseId="tu_2")
            if said_before:
                await act(work, "Read result", toolUseId="tu_1", toolOutput="one")
            heir = await FleetWorker.register(client.http, agentIds=[work.client.agent])
            await item_within(heir)
            work.worker = heir

            await work.worker.told(work.id, "status", status="running")
            await work.published("turn-0", (0, "Anew."), done(1))
            await work.worker.told(work.id, "status", status="completed")

            log = await work.client.log(work.session)
            check_log(log)
            given_up = [event["result"].get("resultType") for event in told_of(log, "TOOL_CALL_RESULT")]
            assert given_up == ([None, "interrupted"] if said_before else ["interrupted", "interrupted"])
            assert (await said(work))[-1] == "Anew."


async def test_what_comes_after_an_interrupt_is_refused_and_the_run_ends_as_interrupted(
    make: Make, database_url: str
) -> None:
    server = make(database_url)
    async with Client(server.url) as client:
        work = await assigned(client.http)
        await work.published("turn-0", (0, "I was about to"))
        await act(work, "Read", toolName="Read", toolUseId="tu_1")

        interrupted = await client.http.post(f"{work.client.path(work.session)}/interrupt", json={"reason": "Enough."})
        refused: Json = {}
        async with asyncio.timeout(10):
            while not refused:
                answer = await work.worker.report(work.id, "activity", type="thought", content="Hm.")
                assert answer.status_code in {200, 409}, answer.text
                refused = {} if answer.is_success else answer.json()
        run = await client.ended(work.session, work.run)

        assert interrupted.is_success
        assert refused["code"] == "work-session-ended"
        assert run["status"] == "cancelled"
        log = await client.log(work.session)
        check_log(log)
        assert log[-1]["reason"] == "Enough."
        assert (await work.worker.report(work.id, "status", status="stopped")).status_code == 200


async def test_of_many_that_report_the_end_at_once_one_ends_the_run(make: Make, database_url: str) -> None:
    server = make(database_url)
    async with Client(server.url) as client:
        work = await assigned(client.http)
        await work.published("turn-0", (0, "Done."), done(1))

        answers = await asyncio.gather(
            *(work.worker.report(work.id, "status", status="completed") for _ in range(8)),
            *(work.worker.report(work.id, "completion", summary="Done.") for _ in range(4)),
        )

        log = await client.log(work.session)
        check_log(log)
        assert [answer.status_code for answer in answers[:8]] == [200] * 8
        assert {answer.status_code for answer in answers[8:]} <= {200, 409}
        assert await said(work) == ["Done."]


async def test_reports_prolong_a_lease_that_nothing_else_does(make: Make, database_url: str) -> None:
    server = make(database_url, worker_lease_seconds=1)
    async with Client(server.url) as client:
        work = await assigned(client.http)
        heir = await FleetWorker.register(client.http, agentIds=[work.client.agent])
        loop = asyncio.get_running_loop()
        until = loop.time() + 2.5

        seen = []
        while loop.time() < until:
            seen.append((await work.worker.report(work.id, "activity", type="thought", content="Hm.")).status_code)
            seen.append((await state(work))["workerId"] == work.worker.id)
            assert (await heir.poll())["work"] == []

        assert set(seen) == {200, True}
        await work.worker.told(work.id, "status", status="completed")


async def test_what_a_worker_relayed_under_its_old_name_is_not_taken_again_under_its_new_one(
    make: Make, database_url: str
) -> None:
    server = make(database_url)
    async with Client(server.url) as client:
        work = await assigned(client.http, key=SHARED_KEY)
        await work.published("turn-0", (0, "One, "))
        heir = await FleetWorker.register(client.http, key=SHARED_KEY)
        names = {"newWorkerId": heir.id, "oldWorkerId": work.worker.id}
        moved_on = await heir.told(work.id, "transfer-ownership", **names)
        work.worker = heir

        taken = [await work.published("turn-0", (0, "One, ")), await work.published("turn-0", (1, "two."), done(2))]
        await act(work, "Read", toolName="Read", toolUseId="tu_1")
        await act(work, "Read result", toolUseId="tu_1", toolOutput="text")
        await work.worker.told(work.id, "status", status="completed")

        log = await client.log(work.session)
        check_log(log)
        assert moved_on["transferred"] is True
        assert taken == [0, 2]
        assert await said(work) == ["One, two."]
        assert told_of(log, "WORK_ACTIVITY") == []
