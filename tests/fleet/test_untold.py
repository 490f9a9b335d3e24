"""What users say to a run that ends before its worker hears it begins a run of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.fleet.hearing import further, inbox, interrupt, refresh
from tests.fleet.offers import item_within
from tests.fleet.relaying import Work, done
from tests.fleet.reporting import assigned, told_of
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Json = dict[str, Any]


async def runs_of(work: Work) -> list[Json]:
    found: list[Json] = (await work.client.http.get(f"{work.client.path(work.session)}/runs")).json()
    return found


async def test_what_no_worker_was_told_begins_a_run_and_is_not_said_twice(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    await work.published("turn-0", (0, "Working"))
    first = await further(work, "And the tests, please.")
    second = await further(work, "And the pages.")
    await work.published("turn-0", (1, " on it."), done(2))

    await work.worker.told(work.id, "status", status="completed")
    item = await item_within(work.worker)
    await work.worker.say(item["sessionId"], "The tests and the pages.")
    await work.worker.told(item["sessionId"], "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    _, begun = told_of(log, "BRANCH_RUN_STARTED")
    said = [event["messageId"] for event in told_of(log, "MESSAGE_STARTED")]
    branch = (await local.get(f"/sessions/{work.session}/branches/main")).json()
    assert begun["messageId"] == second["messageId"]
    assert said[1:] == [first["messageId"], second["messageId"]]
    assert "And the pages." in item["prompt"]
    assert branch["messageCount"] == 5
    assert [run["status"] for run in await runs_of(work)] == ["completed", "completed"]


async def test_what_a_worker_was_told_begins_nothing(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    await further(work, "And the tests, please.")
    heard = (await refresh(work))["inject"]
    await work.worker.told(work.id, "status", status="completed")
    later = await work.client.accepted(work.session, "Next.")
    # Behind a sweep that had something to do.
    unheard = await assigned(local, furtherInputs="inject")
    await further(unheard, "Anybody?")
    await unheard.worker.told(unheard.id, "status", status="completed")
    await item_within(unheard.worker)

    assert heard["text"] == "And the tests, please."
    assert len(await runs_of(work)) == 2
    assert later["status"] == "active"


async def test_what_was_said_to_a_run_that_is_interrupted_begins_another(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    said = await further(work, "Do that instead.")
    await interrupt(work)

    item = await item_within(work.worker)

    check_log(await work.client.log(work.session), ended=False)
    assert "Do that instead." in item["prompt"]
    assert item["sessionId"] != work.id
    assert said["runtimeRunId"] == work.run
    assert await inbox(Work(work.client, work.worker, work.session, work.run, item["sessionId"])) == []


async def test_an_operators_word_that_came_too_late_begins_a_run(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    told = await local.post(f"/api/public/sessions/{work.id}/prompt", json={"prompt": "Mind the gap."})
    await asyncio.gather(*(work.worker.told(work.id, "status", status="failed") for _ in range(2)))

    item = await item_within(work.worker)

    assert told.json()["action"] == "directive"
    assert "Mind the gap." in item["prompt"]
    check_log(await work.client.log(work.session), ended=False)


async def test_a_word_too_long_for_a_poll_waits_as_an_input_or_is_refused(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    accepted = await further(work, "a" * 65_537)
    longest = await further(work, "b" * 65_536)
    refused = await local.post(f"/api/public/sessions/{work.id}/prompt", json={"prompt": "ä" * 40_000})

    assert [accepted["status"], longest["status"]] == ["queued", "queued"]
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert "65536 bytes" in refused.json()["message"]


async def test_what_no_worker_was_told_begins_a_run_when_the_server_is_killed_before(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    # One that looks after nothing as long as it lives.
    blind = make_server(database_url, key_file=key_file, sweep_seconds=3600).start()
    async with httpx.AsyncClient(base_url=blind.url) as http:
        work = await assigned(http, furtherInputs="inject")
        said = await further(work, "And the tests, please.")
        await work.worker.told(work.id, "status", status="completed")
        before = await runs_of(work)
    blind.kill()

    again = make_server(database_url, key_file=key_file, sweep_seconds=0.1).start()
    async with httpx.AsyncClient(base_url=again.url) as http:
        work.client.http, work.worker.http = http, http
        item = await item_within(work.worker)
        await work.worker.told(item["sessionId"], "status", status="completed")
        log, after = await work.client.log(work.session), await runs_of(work)

    check_log(log)
    assert ([run["status"] for run in before], said["status"]) == (["completed"], "active")
    assert "And the tests, please." in item["prompt"]
    assert [run["status"] for run in after] == ["completed", "completed"]
