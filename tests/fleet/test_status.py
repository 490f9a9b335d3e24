"""How a session stands: what a worker may say of it, what comes of that, and what it is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.relaying import Work
from tests.fleet.reporting import act, assigned, state, told_of
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

Json = dict[str, Any]

MALFORMED = [
    "",
    "{",
    "[]",
    "null",
    '"running"',
    "{}",
    '{"status": null}',
    '{"status": "done"}',
    '{"status": "claimed"}',
    '{"status": "pending"}',
    '{"status": ["running"]}',
    '{"status": "running", "workerId": 5}',
    '{"status": "running", "totalCostUsd": -1}',
    '{"status": "running", "totalCostUsd": "1"}',
    '{"status": "running", "inputTokens": 1.5}',
    '{"status": "running", "outputTokens": 1e30}',
    '{"status": "running", "providerSessionId": 1}',
    '{"status": "failed", "error": "broken"}',
    '{"status": "failed", "error": {"message": 1}}',
]


async def told(work: Work, status: str, **said: Any) -> int:
    """Report a status, and return the answer's."""
    return (await work.worker.report(work.id, "status", status=status, **said)).status_code


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_a_session_goes_forward_and_what_is_said_again_changes_nothing(
    local: httpx.AsyncClient, key: str | None
) -> None:
    work = await assigned(local, key=key)

    forward = [await told(work, each) for each in ("running", "running", "finalizing", "finalizing")]
    back = await told(work, "running")
    ended = await work.worker.told(work.id, "status", status="completed")
    log = await work.client.log_text(work.session)
    replayed = [await told(work, each) for each in ("completed", "completed", "running", "failed", "stopped")]

    assert (forward, back, replayed) == ([200] * 4, 409, [200, 200, 409, 409, 409])
    assert (ended["updated"], ended["session"]["status"]) == (True, "completed")
    assert log == await work.client.log_text(work.session)
    check_log(await work.client.log(work.session))


async def test_running_goes_straight_to_any_end(local: httpx.AsyncClient) -> None:
    for status, outcome in (("completed", "completed"), ("failed", "failed"), ("stopped", "cancelled")):
        work = await assigned(local)
        assert await told(work, "running") == 200

        answer = await work.worker.told(work.id, "status", status=status)

        assert answer["session"]["status"] == status
        assert (await work.client.run(work.session, work.run))["status"] == outcome
        check_log(await work.client.log(work.session))


async def test_a_session_ends_from_claimed_too(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    await work.worker.told(work.id, "status", status="completed")

    check_log(await work.client.log(work.session))
    assert (await work.client.run(work.session, work.run))["status"] == "completed"


async def test_another_worker_is_refused_in_the_words_that_workers_look_for(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    log = await work.client.log_text(work.session)
    tokened = await FleetWorker.register(local, agentIds=["none"])
    keyed = await FleetWorker.register(local, key=SHARED_KEY, agentIds=["none"])

    refused = [await each.report(work.id, "status", status="completed") for each in (tokened, keyed)]
    pretended = await tokened.report(work.id, "status", status="completed", workerId=work.worker.id)

    for answer in (*refused, pretended):
        assert answer.status_code == 403
        assert answer.json()["message"] == "Session is owned by another worker"
        assert answer.json()["error"] == "Forbidden"
    assert log == await work.client.log_text(work.session)


async def test_an_unknown_session_and_another_tenants_are_the_same_to_a_worker(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    work = await assigned(local)
    key = await gate.key("elsewhere", Role.WORKER)
    stranger = await FleetWorker.register(local, key=key)
    body = {"status": "completed", "workerId": stranger.id}
    paths = [f"/api/sessions/{each}/status" for each in (work.id, "wse_0", "no%00name", "a%20b")]

    shown = [await local.get(path, headers=bearer(key)) for path in paths]
    reported = [await local.post(path, json=body, headers=bearer(key)) for path in paths]

    bodies = {(answer.status_code, answer.json()["message"], answer.json()["code"]) for answer in shown + reported}
    assert bodies == {(404, "Session not found", "work-session-not-found")}
    assert (await state(work))["status"] == "claimed"


async def test_what_is_shown_of_a_session_is_all_that_its_worker_told(local: httpx.AsyncClient) -> None:
    work = await assigned(local, projectName="verse", priority=2)
    before = await state(work)
    await work.worker.told(
        work.id, "status", status="running", providerSessionId="prov-1", worktreePath="/tmp/tree", totalCostUsd=0.5
    )
    await act(work, "Reading", toolName="Read", toolUseId="tu_1")

    after = await work.worker.told(work.id, "status", status="finalizing", inputTokens=7, outputTokens=3)

    session = after["session"]
    numbers = ("createdAt", "updatedAt", "queuedAt", "claimedAt", "lastToolCalledAt", "priority")
    assert all(type(session[name]) is int for name in numbers)
    assert 0 <= session["claimedAt"] - session["queuedAt"] < 60_000
    assert session == await state(work)
    assert {name: value for name, value in session.items() if name not in numbers} == {
        "sessionId": work.id,
        "linearSessionId": work.id,
        "trackerSessionId": work.id,
        "issueId": f"{work.session}.main",
        "issueIdentifier": f"{work.session}.main",
        "providerSessionId": "prov-1",
        "worktreePath": "/tmp/tree",
        "status": "finalizing",
        "workerId": work.worker.id,
        "organizationId": "local",
        "workType": "research",
        "agentId": work.client.agent,
        "projectName": "verse",
        "totalCostUsd": 0.5,
        "inputTokens": 7,
        "outputTokens": 3,
        "lastToolName": "Read",
        "toolCallCount": 1,
    }
    assert (before["providerSessionId"], before["worktreePath"], before["status"]) == (None, "", "claimed")


async def test_what_a_session_has_cost_is_told_with_the_end_of_its_turn(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.worker.told(work.id, "status", status="running", inputTokens=5)

    await work.worker.told(work.id, "status", status="completed", inputTokens=9, outputTokens=4, totalCostUsd=0.25)

    (finished,) = told_of(await work.client.log(work.session), "MESSAGE_TURN_FINISHED")
    assert finished["usage"] == {"inputTokens": 9, "outputTokens": 4, "costUsd": 0.25}


async def test_a_failure_ends_the_run_with_its_workers_words_as_far_as_they_can_be_stored(
    local: httpx.AsyncClient,
) -> None:
    work = await assigned(local)

    await work.worker.told(work.id, "status", status="failed", error={"message": "No disk. " + "x" * 9000})

    log = await work.client.log(work.session)
    check_log(log)
    assert (log[-1]["status"], log[-1]["errorType"]) == ("failed", "WorkerFailed")
    assert log[-1]["errorMessage"].startswith("No disk. xxx")
    assert len(log[-1]["errorMessage"]) == 4000
    assert told_of(log, "MESSAGE_TURN_ERROR")[0]["message"] == log[-1]["errorMessage"]


async def test_an_end_frees_the_branch_for_the_input_that_waits(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    response = await local.post(
        f"{work.client.path(work.session)}/inputs", json={"text": "And then?", "runningRunBehavior": "queue"}
    )
    waiting = await work.worker.poll()

    await work.worker.told(work.id, "status", status="completed")

    item = await work.worker.claimed()
    assert response.status_code == 202
    assert waiting["work"] == []
    assert item["prompt"] == "And then?"
    assert item["sessionId"] != work.id
    assert item["issueId"] == f"{work.session}.main"
    await work.worker.told(item["sessionId"], "status", status="completed")
    check_log(await work.client.log(work.session))


async def test_an_interrupt_is_seen_by_the_next_status_poll_and_ends_with_its_own_reason(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    # No sweep ends the run meanwhile: what is seen is the wish itself.
    server = make_server(database_url, key_file=key_file, sweep_seconds=60).start()
    async with Client(server.url) as client:
        work = await assigned(client.http)
        await work.worker.told(work.id, "status", status="running")
        await work.relay("turn-0", (0, "I was about"))
        interrupted = await client.http.post(f"{work.client.path(work.session)}/interrupt", json={"reason": "Enough."})

        seen = await state(work)
        active = (await work.client.run(work.session, work.run))["status"]
        await work.worker.told(work.id, "status", status="stopped")
        replay = await work.worker.report(work.id, "status", status="stopped")
        late = await work.worker.report(work.id, "status", status="completed")

        log = await work.client.log(work.session)
        check_log(log)
        assert interrupted.is_success
        assert (seen["status"], active) == ("stopped", "active")
        assert (replay.status_code, late.status_code) == (200, 409)
        assert told_of(log, "INTERRUPTION_HANDLED")[0]["reason"] == "Enough."
        assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "Enough.")


async def test_who_takes_a_session_over_is_seen_by_the_worker_that_had_it(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, sweep_seconds=0.05, worker_lease_seconds=1).start()
    async with Client(server.url) as client:
        work = await assigned(client.http)
        heir = await FleetWorker.register(client.http)
        while not (await heir.poll())["work"]:
            pass

        seen = await state(work)

        assert seen["workerId"] == heir.id


async def test_a_malformed_status_is_refused_and_changes_nothing(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    log = await work.client.log_text(work.session)

    for body in MALFORMED:
        answer = await local.post(
            f"/api/sessions/{work.id}/status",
            content=body,
            headers=work.worker.headers | {"Content-Type": "application/json"},
        )
        assert answer.status_code == 400, body
        assert answer.json()["error"] == "Bad Request"
        assert answer.json()["message"]

    assert log == await work.client.log_text(work.session)
    assert (await state(work))["status"] == "claimed"


async def test_a_worker_that_says_only_the_shared_key_must_say_who_it_is(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY)

    answer = await local.post(f"/api/sessions/{work.id}/status", json={"status": "running"}, headers=bearer(SHARED_KEY))

    assert answer.status_code == 400
    assert "workerId" in answer.json()["message"]
