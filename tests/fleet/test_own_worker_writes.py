"""What a worker of our own may write, by the routes that it writes and reads by."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fleet.gate import Gate
from tests.fleet.taken import MESSAGE, TURN, Taken, begun, close
from tests.harness.client import Client
from tests.harness.order import types
from tests.harness.worker import FleetWorker

Json = dict[str, Any]


@pytest.fixture
async def taken(gate: Gate) -> AsyncIterator[Taken]:
    """A session that a worker has begun."""
    async with Client(gate.server.url) as client:
        yield await begun(client)


async def test_a_batch_is_written_once_however_often_it_comes(taken: Taken) -> None:
    delta = {"type": "TEXT_DELTA", "messageId": MESSAGE, "text": " there", "eventFlowId": TURN}

    first = await taken.wrote(3, events=[delta])
    again = await taken.wrote(3, events=[delta])
    older = await taken.wrote(1, events=[delta])
    gap = await taken.write(5, events=[delta])

    log = await taken.client.log(taken.session)
    assert first == {"position": log[-1]["eventId"]}
    assert (again, older) == ({"isRepeated": True}, {"isRepeated": True})
    assert gap.status_code == 400
    assert [event["text"] for event in log if event["type"] == "TEXT_DELTA"] == ["Hello", " there"]


async def test_a_run_that_is_ended_has_ended_for_its_client_and_for_its_worker(taken: Taken) -> None:
    end = {"change": "endRun", "status": "completed"}

    open_still = await taken.write(3, end, events=taken.closing()[2:])
    first = await taken.wrote(3, close(), end, events=taken.closing())
    again = await taken.wrote(3, close(), end, events=taken.closing())
    late = await taken.write(4, events=taken.closing()[:1])

    log = await taken.client.log(taken.session)
    run = await taken.client.run(taken.session, taken.run_id)
    assert open_still.status_code == 400
    assert ("position" in first, again) == (True, {"isRepeated": True})
    assert (late.status_code, late.json()["code"]) == (409, "work-session-ended")
    assert (run["status"], log[-1]["type"]) == ("completed", "BRANCH_RUN_COMPLETED")
    assert types(log)[-4:] == [
        "TEXT_MESSAGE_END",
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
    ]


async def test_what_a_run_may_not_say_is_refused_and_changes_nothing(taken: Taken) -> None:
    user = taken.run["messageId"]
    run = {"runtimeRunId": taken.run_id, "agentId": taken.client.agent}
    events: dict[str, Json] = {
        "the server's own": {"type": "BRANCH_RUN_COMPLETED", **run, "status": "completed", "completedAt": _NOW},
        "the queue's": {"type": "BRANCH_QUEUE_UPDATED", "action": "dequeued", "items": []},
        "the fleet's": {"type": "WORK_PROGRESS", "workItemId": taken.item, "message": "half"},
        "a client's": {"type": "PERMISSION_RESPONSE", "permissionId": "p", "sourceName": "s", "approved": True},
        "the stream's": {"type": "STREAM_CLOSING", "reason": "slow"},
        "of another run": taken.turn_started(runtimeRunId="run_other"),
        "of a user's message": {"type": "TEXT_DELTA", "messageId": user, "text": "x"},
        "unknown": {"type": "NOBODY_KNOWS", "word": 1},
        "without a type": {"word": 1},
        "not as it is": {"type": "TEXT_DELTA", "messageId": MESSAGE, "text": 7},
        "a request without its row": {
            "type": "CLARIFICATION_REQUEST", "requestId": "r", "sourceName": "s", "question": "?", "options": [],
        },
    }  # fmt: skip
    changes: dict[str, Json] = {
        "unknown": {"change": "dropTables"},
        "a second turn": {"change": "beginTurn", "turnId": "trn_2", "traceId": "t"},
        "a message that was begun before": {"change": "openMessage", "messageId": MESSAGE},
        "a message of the input": {"change": "openMessage", "messageId": user},
        "a message that is no id": {"change": "openMessage", "messageId": "a b"},
        "a user's message": close(user),
        "a message taken back": {"change": "discardMessage", "messageId": user},
        "a step that was not begun": {"change": "finishStep", "place": "9", "result": 1},
        "a name of the server's": {"change": "keepState", "name": f"remote:{taken.item}", "value": {"claim": 1}},
        "a history compacted untold": {"change": "compactHistory", "removed": [user]},
        "no compaction": {"change": "keepState", "name": "compaction", "value": {"at": 1}},
        "a compaction of the session": {"change": "keepState", "name": "compaction", "ofSession": True},
        "the relay's state": {"change": "keepState", "name": f"relay:{taken.item}", "value": {}},
        "a question without its event": {
            "change": "openInteraction", "event": 0, "place": "1", "responseType": "CLARIFICATION_RESPONSE",
        },
        "a cancel beside others": {"change": "cancelInteraction", "requestId": "r"},
        "two ends": {"change": "endRun", "status": "active"},
    }  # fmt: skip
    before = await taken.client.log(taken.session)

    answers = {f"event {name}": await taken.write(3, events=[event]) for name, event in events.items()}
    kept = {"change": "keepState", "name": "agent:x", "value": 1}
    answers |= {f"change {name}": await taken.write(3, kept, change) for name, change in changes.items()}

    told = {
        "type": "BRANCH_HISTORY_COMPACTED", "compactionId": "c",
        "modelCompactedMessageIds": [], "replacementMessages": [],
        "strategyKind": "window", "retentionKind": "hard", "boundaryKind": "turn", "compactedAt": _NOW,
    }  # fmt: skip
    own = {"change": "compactHistory", "removed": [user]}
    answers["a history compacted of this run"] = await taken.write(
        3, own, events=[{**told, "durableCompactedMessageIds": [user]}]
    )
    answers["a history compacted otherwise than told"] = await taken.write(
        3, own, events=[{**told, "durableCompactedMessageIds": []}]
    )
    answers["a history told compacted"] = await taken.write(3, events=[{**told, "durableCompactedMessageIds": ["m1"]}])
    step = {"change": "beginStep", "place": "1", "kind": "work", "name": "look", "argumentsHash": "h"}
    answers["a step begun twice"] = await taken.write(3, step, step)

    refused = {name: (answer.status_code, answer.json().get("code")) for name, answer in answers.items()}
    assert refused == dict.fromkeys(refused, (400, "invalid-request"))
    assert all({"error", "message"} <= answer.json().keys() for answer in answers.values())
    assert await taken.client.log(taken.session) == before
    assert await taken.read("state?name=agent:x") == {"values": {}}


async def test_another_claim_and_another_worker_write_and_read_nothing(taken: Taken) -> None:
    other = await FleetWorker.register(taken.client.http)
    delta = {"type": "TEXT_DELTA", "messageId": MESSAGE, "text": "x"}
    body = {"claim": taken.run["claim"], "batch": 3, "events": [delta]}
    before = await taken.client.log(taken.session)

    answers = [
        await taken.write(3, events=[delta], claim=taken.run["claim"] + 1),
        await other.report(taken.item, "units", **body),
        await other.report(taken.item, "take"),
        *[await _get(other, taken.item, what) for what in ("past", "log", "history", "state", "questions/r")],
    ]
    unknown = [
        await other.report("wse_none", "units", **body),
        await other.report("wse_none", "take"),
        *[await _get(other, "wse_none", what) for what in ("past", "log", "history", "state", "questions/r")],
    ]

    assert [answer.status_code for answer in answers] == [403] * 8
    assert all("owned by another worker" in answer.text for answer in answers)
    assert [answer.status_code for answer in unknown] == [404] * 7
    assert await taken.client.log(taken.session) == before


async def test_a_worker_reads_the_past_of_its_run_and_of_nothing_else(taken: Taken) -> None:
    step = {"change": "beginStep", "place": "1", "kind": "work", "name": "look", "argumentsHash": "h"}
    done = {"change": "finishStep", "place": "1", "result": {"found": [1]}}
    kept = {"change": "keepState", "name": "agent:mood", "value": "good"}
    of_session = {"change": "keepState", "name": "agent:mood", "ofSession": True, "value": "better"}
    await taken.wrote(3, step, done, kept, of_session)

    again = await taken.worker.told(taken.item, "take")
    past = await taken.read("past")
    history = await taken.read("history")
    state = [await taken.read(f"state?name=agent:mood&name=x&scope={scope}") for scope in ("branch", "session")]
    log = await _get(taken.worker, taken.item, "log")

    assert (again["batch"], again["turnId"], again["input"]) == (3, TURN, taken.run["input"])
    assert past["steps"] == [
        {"place": "1", "kind": "work", "name": "look", "argumentsHash": "h", "result": {"found": [1]}}
    ]
    assert [message["id"] for message in past["openMessages"]] == [MESSAGE]
    assert [message["id"] for message in history["messages"]] == [taken.run["messageId"]]
    assert state == [{"values": {"agent:mood": "good"}}, {"values": {"agent:mood": "better"}}]
    assert '"TEXT_DELTA"' in log.text.splitlines()[-1]
    assert await taken.read("questions/req_none") == {"wasAsked": False, "settled": None}


_NOW = "2026-01-01T00:00:00Z"


async def _get(worker: FleetWorker, item: str, what: str) -> httpx.Response:
    return await worker.http.get(f"/api/sessions/{item}/{what}", headers=worker.headers)
