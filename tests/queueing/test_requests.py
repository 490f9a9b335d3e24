"""The requests of the queue, each with its answer and what the log says of it."""

import asyncio
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log, types
from tests.interrupt.talk import Log, Talk
from tests.queueing.busy import busy, let_go, said

PLACED = {"version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId", "kind"}


def _updates(log: Log) -> Log:
    return [event for event in log if event["type"] == "BRANCH_QUEUE_UPDATED"]


async def test_inputs_run_one_after_the_other_in_the_order_in_which_they_were_accepted(client: Client) -> None:
    talk = await busy(client)

    accepted = [await talk.say(f"number {index}", "queue") for index in range(6)]
    waiting = await talk.queue()
    await let_go(talk)
    log = await talk.idle()

    order = check_log(log)
    assert [(each["status"], each["queuedPosition"]) for each in accepted] == [
        ("queued", position) for position in range(1, 7)
    ]
    assert [item["runtimeRunId"] for item in waiting] == [each["runtimeRunId"] for each in accepted]
    assert order.begun[1:] == [each["runtimeRunId"] for each in accepted]
    assert set(order.outcomes.values()) == {"completed"}
    assert said(log)[1:] == [f"number {index}" for index in range(6)]
    assert await talk.queue() == []


async def test_the_answer_and_the_event_say_the_same_and_no_message_is_there_yet(client: Client) -> None:
    talk = await busy(client)
    before = await talk.log()

    response = await talk.send("x" * 300, "queue")
    log = await talk.log()

    accepted = response.json()
    run_id, message_id = accepted["runtimeRunId"], accepted["messageId"]
    assert response.status_code == 202
    assert accepted == {
        "runtimeRunId": run_id,
        "messageId": message_id,
        "status": "queued",
        "position": before[-1]["eventId"],
        "queuedPosition": 1,
    }
    assert response.headers["location"] == f"{talk.path}/runs/{run_id}"
    [event] = log[len(before) :]
    assert event.keys() == PLACED | {"action", "runtimeRunId", "items"}
    assert (event["action"], event["runtimeRunId"], event["kind"]) == ("enqueued", run_id, "lifecycle")
    item = {
        "runtimeRunId": run_id,
        "messageId": message_id,
        "text": "x" * 200,
        "queuedAt": event["timestamp"],
        "queuedPosition": 1,
    }
    assert event["items"] == [item]
    assert await talk.queue() == [item]
    for path in (f"/sessions/{talk.session}/branches/main/queue", f"{talk.path}/queue"):
        assert (await client.http.get(path)).json() == {"items": [item]}
    assert (await talk.get(""))["messageCount"] == 1
    await talk.interrupt()
    await talk.idle()


async def test_a_run_shows_what_it_has_been_through(client: Client) -> None:
    talk = await busy(client)
    kept = (await talk.say("kept", "queue"))["runtimeRunId"]
    removed = (await talk.say("removed", "queue"))["runtimeRunId"]

    waits = await talk.get(f"runs/{kept}")
    assert (await talk.remove(removed)).status_code == 204
    gone = await talk.get(f"runs/{removed}")
    listed = [(run["runtimeRunId"], run["status"]) for run in await talk.get("runs")]
    active = await talk.get("runs/active")
    await let_go(talk)
    await talk.idle()
    ran = await talk.get(f"runs/{kept}")

    shown = {"runtimeRunId", "agentId", "sessionId", "branchId", "status", "queuedAt"}
    assert (waits.keys(), waits["status"]) == (shown, "queued")
    assert (gone.keys(), gone["status"]) == (shown | {"completedAt"}, "cancelled")
    assert (ran.keys(), ran["status"]) == (shown | {"startedAt", "completedAt"}, "completed")
    assert (ran["queuedAt"], ran["queuedAt"] <= ran["startedAt"] <= ran["completedAt"]) == (waits["queuedAt"], True)
    assert listed == [(active["runtimeRunId"], "active"), (kept, "queued"), (removed, "cancelled")]


async def test_what_was_removed_never_runs(client: Client) -> None:
    talk = await busy(client)
    first, second, third = [(await talk.say(text, "queue"))["runtimeRunId"] for text in ("one", "two", "three")]
    before = await talk.log()

    response = await talk.remove(second)
    after = await talk.log()
    again = await talk.remove(second)
    await let_go(talk)
    log = await talk.idle()

    assert (response.status_code, response.content) == (204, b"")
    update, end = after[len(before) :]
    assert (update["action"], update["runtimeRunId"]) == ("removed", second)
    assert [(item["runtimeRunId"], item["queuedPosition"]) for item in update["items"]] == [(first, 1), (third, 2)]
    assert (end["type"], end["runtimeRunId"]) == ("BRANCH_RUN_COMPLETED", second)
    assert (end["status"], end["cancelled"], end["agentId"]) == ("cancelled", True, "demo")
    assert (again.status_code, again.json()["code"]) == (409, "run-not-queued")
    assert check_log(log).begun[1:] == [first, third]
    assert said(log)[1:] == ["one", "three"]


async def test_only_what_waits_can_be_removed(client: Client) -> None:
    talk = await busy(client)
    active = (await talk.get("runs/active"))["runtimeRunId"]
    other = await busy(client)
    elsewhere = (await other.say("elsewhere", "queue"))["runtimeRunId"]

    answers = [await talk.remove(run_id) for run_id in (active, "run_unknown", elsewhere)]
    of_the_session = await client.http.delete(f"/sessions/{talk.session}/branches/main/queue/run_unknown")
    await let_go(talk)
    await talk.idle()
    answers.append(await talk.remove(active))

    assert [(answer.status_code, answer.json()["code"]) for answer in [*answers, of_the_session]] == [
        (409, "run-not-queued"),
        (404, "run-not-found"),
        (404, "run-not-found"),
        (409, "run-not-queued"),
        (404, "run-not-found"),
    ]
    problem = answers[0].json()
    assert problem["errors"] == {"RunNotQueued": [problem["detail"]]}
    assert [item["runtimeRunId"] for item in await other.queue()] == [elsewhere]


async def test_an_input_that_interrupts_goes_to_the_head_and_the_rest_follows(client: Client) -> None:
    talk = await busy(client)
    active = (await talk.get("runs/active"))["runtimeRunId"]
    first, second = [(await talk.say(text, "queue"))["runtimeRunId"] for text in ("one", "two")]
    before = await talk.log()

    urgent = await talk.say("now", "interrupt")
    log = await talk.idle()

    order = check_log(log)
    assert (urgent["status"], urgent["queuedPosition"], urgent["position"]) == ("queued", 1, before[-1]["eventId"])
    assert order.begun == [active, urgent["runtimeRunId"], first, second]
    assert list(order.outcomes.values()) == ["cancelled", "completed", "completed", "completed"]
    assert types(log[len(before) :])[:12] == [
        "BRANCH_QUEUE_UPDATED",
        "INTERRUPTION_HANDLED",
        "AGENT_REQUEST_CANCELLED",
        "TOOL_CALL_RESULT",
        "TOOL_CALL_END",
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
        "BRANCH_QUEUE_UPDATED",
        "BRANCH_RUN_STARTED",
        "MESSAGE_STARTED",
        "CONTENT_ADDED",
    ]
    assert [(update["action"], update["runtimeRunId"]) for update in _updates(log)] == [
        ("enqueued", first),
        ("enqueued", second),
        ("promoted", urgent["runtimeRunId"]),
        ("dequeued", urgent["runtimeRunId"]),
        ("dequeued", first),
        ("dequeued", second),
    ]


@pytest.mark.parametrize("behavior", [None, "reject", "queue", "interrupt"])
async def test_on_a_free_branch_every_input_is_a_plain_run(client: Client, behavior: str | None) -> None:
    talk = await Talk.begin(client)

    accepted = await talk.say("Hi", behavior)
    log = await talk.idle()

    assert (accepted["status"], "queuedPosition" in accepted) == ("active", False)
    assert _updates(log) == []
    assert "queuedAt" not in await talk.get(f"runs/{accepted['runtimeRunId']}")


@pytest.mark.parametrize("behavior", [None, "reject", "Reject"])
async def test_an_input_that_does_not_wait_is_a_conflict_and_changes_nothing(
    client: Client, behavior: str | None
) -> None:
    talk = await busy(client)
    await talk.say("waits", "queue")
    before = await talk.log()

    response = await talk.send("Hi", behavior)

    assert (response.status_code, response.json()["code"]) == (409, "branch-run-active")
    assert await talk.log() == before
    await talk.interrupt()
    await talk.idle()


@pytest.mark.parametrize("form", ["queue", "Queue"])
@pytest.mark.parametrize(
    "body",
    [
        {"text": "Hi"},
        {"type": "USER_TEXT_INPUT", "text": "Hi"},
        {"type": "user_messages_input", "messages": [{"text": "Hi"}]},
    ],
)
async def test_every_form_of_an_input_can_wait(client: Client, form: str, body: dict[str, Any]) -> None:
    talk = await busy(client)

    response = await talk.post("inputs", body | {"runningRunBehavior": form})
    await let_go(talk)
    log = await talk.idle()

    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert check_log(log).outcomes[response.json()["runtimeRunId"]] == "completed"


async def test_the_older_form_of_interrupt_interrupts(client: Client) -> None:
    talk = await busy(client)

    accepted = await talk.say("Hi", "Interrupt")
    log = await talk.idle()

    assert list(check_log(log).outcomes.values()) == ["cancelled", "completed"]
    assert accepted["status"] == "queued"


@pytest.mark.parametrize("given", ["later", "", 7, None, True, ["queue"]])
async def test_another_behaviour_is_refused(client: Client, given: object) -> None:
    talk = await Talk.begin(client)

    response = await talk.post("inputs", {"text": "Hi", "runningRunBehavior": given})

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert len(await talk.log()) == 1


async def test_a_hundred_wait_and_the_next_is_told_to_come_again(client: Client) -> None:
    talk = await busy(client)
    for index in range(100):
        assert (await talk.say(f"number {index}", "queue"))["queuedPosition"] == index + 1
    before = await talk.log()

    answers = [await talk.send("too many", behavior) for behavior in ("queue", "interrupt")]
    after = await talk.log()
    removed = (await talk.queue())[41]["runtimeRunId"]
    await talk.remove(removed)
    room = await talk.say("in the end", "queue")

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (429, "queue-full")
        assert answer.json()["errors"] == {"QueueFull": [answer.json()["detail"]]}
        assert int(answer.headers["retry-after"]) > 0
    assert after == before
    assert room["queuedPosition"] == 100
    check_log(await talk.log(), ended=False)
    await let_go(talk)
    log = await talk.idle(seconds=60)
    assert said(log)[1:] == [*(f"number {index}" for index in range(100) if index != 41), "in the end"]


async def test_of_50_at_once_every_one_is_accepted_once_and_has_a_place_of_its_own(client: Client) -> None:
    talk = await Talk.begin(client)

    answers = await asyncio.gather(*(talk.send(f"/tokens 2 {index % 3}", "queue") for index in range(50)))
    accepted = [answer.json() for answer in answers]
    log = await talk.idle(seconds=60)

    assert {answer.status_code for answer in answers} == {202}
    order = check_log(log)
    assert sorted(order.begun) == sorted(each["runtimeRunId"] for each in accepted)
    assert set(order.outcomes.values()) == {"completed"}
    by_position = sorted(accepted, key=lambda each: int(each["position"].split(".")[1]))
    assert order.begun == [each["runtimeRunId"] for each in by_position]
    for each in accepted:
        assert (each["status"] == "queued") == ("queuedPosition" in each)


async def test_of_50_behind_a_run_that_lasts_the_places_are_1_to_50(client: Client) -> None:
    talk = await busy(client)

    answers = await asyncio.gather(*(talk.send(f"number {index}", "queue") for index in range(50)))
    accepted = [answer.json() for answer in answers]
    waiting = await talk.queue()
    await let_go(talk)
    log = await talk.idle(seconds=60)

    in_line = sorted(accepted, key=lambda each: each["queuedPosition"])
    assert [each["queuedPosition"] for each in in_line] == list(range(1, 51))
    assert [item["runtimeRunId"] for item in waiting] == [each["runtimeRunId"] for each in in_line]
    assert check_log(log).begun[1:] == [each["runtimeRunId"] for each in in_line]
