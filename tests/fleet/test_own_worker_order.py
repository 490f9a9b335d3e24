"""What a worker of our own writes is as whole as what the runtime writes: nothing is taken that would spoil a log."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fleet.gate import Gate
from tests.fleet.taken import MESSAGE, TURN, Json, Taken, begun, close
from tests.harness.client import Client
from tests.harness.worker import FleetWorker

_OTHER = f"msg_{'1' * 32}"
_END = {"change": "endRun", "status": "completed"}


@pytest.fixture
async def taken(gate: Gate) -> AsyncIterator[Taken]:
    """A session that a worker has begun."""
    async with Client(gate.server.url) as client:
        yield await begun(client)


def _told(kind: str, **members: object) -> Json:
    return {"type": kind, "eventFlowId": TURN} | members


def _asked(request_id: str) -> Json:
    return _told("PERMISSION_REQUEST", permissionId=request_id, sourceName="s", functionName="rm", callId="c1")


def _question(event: int = 0) -> Json:
    return {"change": "openInteraction", "event": event, "place": "1", "responseType": "PERMISSION_RESPONSE"}


def _keep(name: str, value: object, *, of_session: bool) -> Json:
    return {"change": "keepState", "name": name, "value": value, "ofSession": of_session}


async def _all_refused(taken: Taken, batch: int, tried: dict[str, tuple[list[Json], list[Json]]]) -> None:
    before = await taken.client.log(taken.session)

    answers = {name: await taken.write(batch, *changes, events=events) for name, (changes, events) in tried.items()}

    refused = {name: (answer.status_code, answer.json().get("code")) for name, answer in answers.items()}
    assert refused == dict.fromkeys(tried, (400, "invalid-request"))
    assert await taken.client.log(taken.session) == before


async def test_what_nobody_could_go_on_with_is_refused(taken: Taken) -> None:
    await taken.wrote(3, events=[_told("TOOL_CALL_START", messageId=MESSAGE, callId="c1", name="look")])
    inside = {"agentChain": ["helper", "other"], "depth": 1}
    arguments = {"no JSON": "none", "no object": "[1]", "too deep": '{"a":' * 65 + "1" + "}" * 65, "cut": '{"a":'}
    turns = {
        "a depth in words": inside | {"depth": "abc"},
        "a depth beyond all numbers": inside | {"depth": 1e300},
        "a depth of truth": inside | {"depth": True},
        "no depth": {"agentChain": ["helper"]},
        "no chain": {"depth": 1},
        "a chain of numbers": inside | {"agentChain": [1]},
    }
    tried: dict[str, tuple[list[Json], list[Json]]] = {
        name: ([], [_told("TOOL_CALL_ARGS", callId="c1", argsJson=said)]) for name, said in arguments.items()
    }
    for name, metadata in turns.items():
        tried[name] = [], [taken.turn_started(messageTurnId="trn_2", eventFlowId="trn_2", metadata=metadata)]
    tried["an iteration beyond all"] = [], [_told("AGENT_TURN_STARTED", iteration=2**63)]

    await _all_refused(taken, 4, tried)

    await taken.wrote(4, events=[_told("TOOL_CALL_ARGS", callId="c1", argsJson='{"place":"Oslo\\u0000"}')])


async def test_what_does_not_fit_behind_what_was_told_is_refused(taken: Taken) -> None:
    text = {"messageId": MESSAGE, "eventFlowId": TURN}
    end, delta = {"type": "TEXT_MESSAGE_END"} | text, {"type": "TEXT_DELTA", "text": "x"} | text
    reasoning = {"type": "REASONING_DELTA", "text": "x"} | text
    start: Json = {"type": "TEXT_MESSAGE_START", "role": "assistant"} | text
    call = _told("TOOL_CALL_START", messageId=MESSAGE, callId="c1", name="look")
    result = _told("TOOL_CALL_RESULT", callId="c1", result={"text": "x"})
    tried: dict[str, tuple[list[Json], list[Json]]] = {
        "a piece behind the end": ([], [end, delta]),
        "a second end": ([], [end, end]),
        "a second beginning": ([], [start]),
        "a piece of another kind": ([], [reasoning]),
        "a message of the user's": (
            [{"change": "openMessage", "messageId": "msg_users"}],
            [start | {"messageId": "msg_users", "role": "user"}],
        ),
        "a message outside of the turn": ([], [end, start | {"eventFlowId": "trn_2"}]),
        "a call outside of the turn": ([], [call | {"eventFlowId": "trn_2"}]),
        "arguments of no call": ([], [_told("TOOL_CALL_ARGS", callId="c1", argsJson="{}")]),
        "a result of no call": ([], [result]),
        "an end of no call": ([], [_told("TOOL_CALL_END", callId="c1")]),
        "a result behind the end": ([], [call, _told("TOOL_CALL_END", callId="c1"), result]),
        "a message ended twice": ([close(), close(state="discarded")], [end]),
        "a message taken back twice": ([close(), *[{"change": "discardMessage", "messageId": MESSAGE}] * 2], [end]),
        "an interview's end": ([], [_told("INTERVIEW_COMPLETED", workItemId=taken.item)]),
        "a cancel without its batch": ([], [_cancelled("req_1")]),
        "another event with a cancel": ([{"change": "cancelInteraction", "requestId": "req_1"}], [delta]),
        "a cancel that tells of another": ([{"change": "cancelInteraction", "requestId": "req_1"}], [_cancelled("q")]),
        "an end inside of the turn": ([close(), _END], [end]),
        "an end inside of a message": ([close(), _END], taken.closing()[1:]),
        "an end inside of a call": ([close(), _END], [call, *taken.closing()]),
    }

    await _all_refused(taken, 3, tried)

    again = await taken.worker.told(taken.item, "take")
    # What is read again from the log is as strict.
    await _all_refused(taken, again["batch"] + 1, tried)
    await taken.wrote(3, close(), _END, events=[call, result, _told("TOOL_CALL_END", callId="c1"), *taken.closing()])
    assert (await taken.client.run(taken.session, taken.run_id))["status"] == "completed"


def _cancelled(request_id: str) -> Json:
    when = "2026-01-01T00:00:00Z"
    told = {"requestId": request_id, "sourceName": "s", "requestEventType": "PERMISSION_REQUEST", "cancelledAt": when}
    return _told("AGENT_REQUEST_CANCELLED", **told)


async def test_nothing_is_open_behind_the_end_of_a_run(taken: Taken) -> None:
    together = await taken.write(3, _question(), close(), _END, events=[_asked("req_1"), *taken.closing()])
    await taken.wrote(3, _question(), events=[_asked("req_1")])
    open_still = await taken.write(4, close(), _END, events=taken.closing())
    cancelled = await taken.wrote(
        4, {"change": "cancelInteraction", "requestId": "req_1"}, events=[_cancelled("req_1")]
    )
    await taken.wrote(4, close(), _END, events=taken.closing())

    asked = (await taken.client.http.get(f"{taken.client.path(taken.session)}/interactions")).text
    assert (together.status_code, open_still.status_code, "position" in cancelled) == (400, 400, True)
    assert "req_1" not in asked
    assert (await taken.client.run(taken.session, taken.run_id))["status"] == "completed"


async def test_ids_that_repeat_are_refused(taken: Taken) -> None:
    await taken.wrote(3, _question(), events=[_asked("req_0")])
    discard = [{"change": "openMessage", "messageId": _OTHER}, close(_OTHER, "discarded")]
    await taken.wrote(4, *discard)

    await _all_refused(
        taken,
        5,
        {
            "a question asked twice": ([_question(), _question()], [_asked("req_1")]),
            "two requests of one id": ([_question(), _question(1)], [_asked("req_1"), _asked("req_1")]),
            "the id of an earlier request": ([_question()], [_asked("req_0")]),
            "the id of a message that was taken back": ([{"change": "openMessage", "messageId": _OTHER}], []),
        },
    )

    await taken.worker.told(taken.item, "take")
    # Not known when the run is opened anew; it is the database that refuses it.
    await _all_refused(taken, 5, {"once more": ([{"change": "openMessage", "messageId": _OTHER}], [])})
    await taken.wrote(5, {"change": "cancelInteraction", "requestId": "req_0"})
    await taken.wrote(5, close(), _END, events=taken.closing())
    first = taken.run["messageId"]
    await taken.client.accepted(taken.session, "Once more.")
    next_item = (await taken.worker.claimed())["sessionId"]
    run = await taken.worker.told(next_item, "take")
    body = {"claim": run["claim"], "batch": 1, "changes": [{"change": "openMessage", "messageId": first}]}
    assert (await taken.worker.report(next_item, "units", **body)).status_code == 400


async def test_a_worker_keeps_no_choice_that_nobody_made_and_no_tools_that_are_none(taken: Taken) -> None:
    refused: dict[str, tuple[list[Json], list[Json]]] = {
        "client tools that are a number": ([_keep("clientTools", 42, of_session=False)], []),
        "client tools of the session": ([_keep("clientTools", {}, of_session=True)], []),
        "a choice in words": ([_keep("permission:rm", "yes", of_session=True)], []),
        "a choice that nobody made": ([_keep("permission:rm", True, of_session=True)], []),
    }
    await _all_refused(taken, 3, refused)
    await taken.wrote(3, _question(), events=[_asked("req_1")])
    answer = {"type": "PERMISSION_RESPONSE", "permissionId": "req_1", "sourceName": "s"}
    answer |= {"approved": True, "choice": "allow_always"}
    answered = await taken.client.http.post(f"{taken.client.path(taken.session)}/responses", json=answer)
    assert answered.status_code == 200, answered.text
    wrong: dict[str, tuple[list[Json], list[Json]]] = {
        "the other choice": ([_keep("permission:rm", False, of_session=True)], []),
        "another tool": ([_keep("permission:ls", True, of_session=True)], []),
        "of the branch": ([_keep("permission:rm", True, of_session=False)], []),
    }

    await _all_refused(taken, 4, wrong)

    await taken.wrote(4, _keep("permission:rm", True, of_session=True), _keep("clientTools", {}, of_session=False))
    assert await taken.read("state?name=permission:rm&scope=session") == {"values": {"permission:rm": True}}


async def test_a_batch_has_at_most_2000_events_and_changes(taken: Taken) -> None:
    delta = _told("TEXT_DELTA", messageId=MESSAGE, text="x")
    keep = _keep("agent:x", 1, of_session=False)

    await _all_refused(taken, 3, {"events": ([], [delta] * 2001), "changes": ([keep] * 2001, [])})

    await taken.wrote(3, events=[delta] * 2000)


async def test_what_a_run_failed_with_is_no_longer_than_reports_of_that_are(taken: Taken) -> None:
    ended = {"change": "endRun", "status": "failed", "errorType": "E" * 9_000, "errorMessage": "M" * 9_000}

    await taken.wrote(3, close(), ended | {"reason": "R" * 9_000}, events=taken.closing())

    completed = (await taken.client.log(taken.session))[-1]
    assert [len(completed[name]) for name in ("errorType", "errorMessage", "reason")] == [4_000] * 3


async def test_writers_that_meet_never_cost_a_worker_its_run(taken: Taken) -> None:
    async def write(worker: FleetWorker) -> list[int]:
        thought = {"type": "thought", "content": "x"}
        answers = await asyncio.gather(
            taken.write(3, events=[_told("TEXT_DELTA", messageId=MESSAGE, text="x")]),
            *(worker.report(taken.item, "take") for _ in range(4)),
            *(worker.report(taken.item, "activity", activity=thought) for _ in range(4)),
            taken.write(1, {"change": "cancelInteraction", "requestId": "req_none"}),
        )
        return [answer.status_code for answer in answers]

    statuses = await write(taken.worker)

    assert set(statuses) <= {200, 503}
