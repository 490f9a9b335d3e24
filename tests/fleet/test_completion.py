"""The text that a worker's agent ends with: told once, and whole."""

from typing import Any

import httpx

from tests.fleet.relaying import Work, done
from tests.fleet.reporting import act, assigned, messages, said, told_of
from tests.harness.order import check_log

Json = dict[str, Any]

POSTED: Json = {"posted": True, "partsPosted": 1, "totalParts": 1}
MALFORMED = [
    "",
    "{",
    "[]",
    "{}",
    '{"summary": ""}',
    '{"summary": "   "}',
    '{"summary": null}',
    '{"summary": 5}',
    '{"summary": "Done.", "planItems": {}}',
    '{"summary": "Done.", "planItems": [{"title": "a"}]}',
    '{"summary": "Done.", "planItems": [{"title": "a", "state": "maybe"}]}',
    '{"summary": "Done.", "planItems": [{"title": "", "state": "pending"}]}',
    '{"summary": "Done.", "workerId": {}}',
]


async def complete(work: Work, summary: str, **also: Any) -> Json:
    """Report the last words."""
    return await work.worker.told(work.id, "completion", summary=summary, **also)


async def ended(work: Work) -> list[Json]:
    """End the session, and return the whole log, which is in order."""
    await work.worker.told(work.id, "status", status="completed")
    log = await work.client.log(work.session)
    check_log(log)
    return log


async def conversation(work: Work) -> list[str]:
    """Return what a new run would read of what assistants have said."""
    last = (await messages(work))[-1][0]
    response = await work.client.http.post(f"{work.client.path(work.session)}/fork", json={"fromMessageId": last})
    assert response.status_code == 201, response.text
    log = await work.client.log(work.session, response.json()["id"])
    started = {event["messageId"]: event["role"] for event in log if event["type"] == "MESSAGE_STARTED"}
    told = [event for event in log if event["type"] == "CONTENT_ADDED" and "text" in event["content"]]
    return [event["content"]["text"] for event in told if started[event["messageId"]] == "assistant"]


async def test_a_summary_is_said_where_nothing_was(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    answers = [await complete(work, "All done."), await complete(work, "All done.")]
    await ended(work)

    assert answers == [POSTED, POSTED]
    assert await said(work) == ["All done."]


async def test_a_summary_that_was_relayed_is_not_said_again(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "All "), (1, "done.\n"), done(2))

    await complete(work, "All done.")
    await act(work, "Stop", toolName="Stop", toolUseId="tu_1")
    await act(work, "Stop result", toolUseId="tu_1", toolOutput="ok")
    await complete(work, "All done.")
    await ended(work)

    assert await said(work) == ["All done.\n"]


async def test_a_message_whose_end_was_not_relayed_goes_on(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "All "))

    await complete(work, "All done.")
    log = await ended(work)

    assert await said(work) == ["All done."]
    assert told_of(log, "MODEL_CALL_RETRY") == []


async def test_a_message_that_lacks_pieces_is_taken_back_and_written_anew(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "I looked."))
    await act(work, "Read", toolName="Read", toolUseId="tu_1")
    await act(work, "Read result", toolUseId="tu_1", toolOutput="text")
    await work.published("turn-0", (1, "All "), (4, "done."), done(5))

    for _ in range(2):
        await complete(work, "All of it is done.")
    log = await ended(work)

    assert [event["exceptionType"] for event in told_of(log, "MODEL_CALL_RETRY")] == ["RelayGap"]
    assert await said(work) == ["I looked.", "All done.", "All of it is done."]
    assert await conversation(work) == ["I looked.", "All of it is done."]


async def test_a_message_that_is_whole_stays_beside_another_summary(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "I looked."), done(1))

    await complete(work, "Nothing found.")
    log = await ended(work)

    assert await conversation(work) == ["I looked.", "Nothing found."]
    assert told_of(log, "MODEL_CALL_RETRY") == []


async def test_the_steps_of_a_plan_are_told(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    plan = [{"title": "Look", "state": "completed"}, {"title": "Fix", "state": "inProgress"}]

    await complete(work, "Half done.", planItems=plan)
    log = await ended(work)

    (told,) = told_of(log, "WORK_ACTIVITY")
    assert (told["activityType"], told["content"]) == ("plan", "1 of 2 steps are done.")
    assert told["details"] == {"planItems": plan}


async def test_a_malformed_completion_is_refused_and_changes_nothing(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    log = await work.client.log_text(work.session)

    for body in MALFORMED:
        headers = work.worker.headers | {"Content-Type": "application/json"}
        answer = await local.post(f"/api/sessions/{work.id}/completion", content=body, headers=headers)
        assert answer.status_code == 400, body
        assert answer.json()["error"] == "Bad Request"
        assert answer.json()["message"]

    assert log == await work.client.log_text(work.session)
