"""A run that has ended leaves no question open, however it ended and whoever was there when it did."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.crash.fatal import ACTING, QUICK, marks
from tests.crash.questions import (
    answer,
    asked,
    history,
    interrupt,
    listed,
    message_count,
    said,
    story,
    text_of,
    told,
)
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

WAITING = {
    "fickle": ("fickle", "go"),
    "fickle-tool": ("swapper", "go"),
    "fickle-inside": ("boss", "fickle go"),
    "hasty": ("hasty", "go"),
    "lost": ("worker", "gated stay"),
    "gone": ("gone", "go"),
    "late": ("demo", "/permission"),
}
"""Agents that ask and what they are told, by the session; each ends in its own way."""

ENDS = {
    "fickle": "RunDiverged",
    "fickle-tool": "RunDiverged",
    "fickle-inside": "RunDiverged",
    "hasty": "ExceptionGroup",
    "lost": "RunLost",
    "gone": "AgentMissing",
    "late": "RunTimedOut",
}


async def test_a_run_that_fails_after_a_crash_leaves_no_question_open(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    runs, questions = {}, {}
    async with Client(server.url) as client:
        for name, (agent, text) in WAITING.items():
            config = {"runTimeout": "PT3S"} if name == "late" else {}
            runs[name] = await said(client, await client.session(name), text, agent=agent, config=config)
        for name in WAITING:
            (questions[name],) = await asked(client, name)
    # The tool's effect is there; what its call came to is not.
    await seconds_until(_has_done(server, "lost", "at stay"), within=10)

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        ends = {name: await client.ended(name, run) for name, run in runs.items()}
        assert {name: (run["status"], run["error"]["type"]) for name, run in ends.items()} == {
            name: ("failed", error) for name, error in ENDS.items()
        }
        for name, question in questions.items():
            log = await client.log(name)
            again = await answer(client, name, question)
            assert await listed(client, name) == []
            assert (again.status_code, again.json()["code"]) == (409, "branch-runtime-not-active")
            assert again.json()["outcome"] == "cancelled"
            cancelled = [event for event in log if event["type"] == "AGENT_REQUEST_CANCELLED"]
            assert [(event["requestId"], event["reason"]) for event in cancelled] == [(question["requestId"], "failed")]
            assert (name, log[-1]["errorType"], log[-2]["errorType"]) == (name, ENDS[name], ENDS[name])
            check_log(log)
        diverged = await client.log("fickle")
    # It is asked nothing else in the place of its first question.
    assert [event["question"] for event in diverged if event["type"] == "CLARIFICATION_REQUEST"] == ["Is this life 1?"]
    assert story(diverged)[-5:] == [
        "CLARIFICATION_REQUEST",
        "MESSAGE_TURN_STARTED resumed",
        "AGENT_REQUEST_CANCELLED",
        "MESSAGE_TURN_ERROR",
        "BRANCH_RUN_COMPLETED",
    ]


async def test_a_run_whose_interrupt_was_accepted_ends_so_although_the_server_died_before_it_did(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    (server.folder / "death").write_text("before INTERRUPTION_HANDLED")
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "go", agent="talker")
        await told(client, session, "TEXT_DELTA")
        taken = await interrupt(client, session)
        await asyncio.to_thread(server.wait)

    server.start()

    assert taken.status_code == 202
    async with Client(server.url) as client:
        ended = await client.ended(session, run)
        log = await client.log(session)
        count = await message_count(client, session)
        given = await history(client, session)
    assert ended["status"] == "cancelled"
    assert story(log)[-7:] == [
        "TEXT_MESSAGE_START",
        "TEXT_DELTA",
        "INTERRUPTION_HANDLED",
        "TEXT_MESSAGE_END interrupted",
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
    ]
    _assert_interrupted(log)
    check_log(log)
    partial = next(event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START")
    assert text_of(log, partial) == "one "
    assert count == 2
    assert partial in given


async def test_an_interrupt_of_a_run_that_waits_deep_inside_survives_the_server(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    (server.folder / "death").write_text("before INTERRUPTION_HANDLED")
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "/subagent 2")
        (question,) = await asked(client, session)
        taken = await interrupt(client, session)
        await asyncio.to_thread(server.wait)

    server.start()

    assert taken.status_code == 202
    async with Client(server.url) as client:
        await client.ended(session, run)
        log = await client.log(session)
        again = await answer(client, session, question)
        assert await listed(client, session) == []
        assert await message_count(client, session) == 2
    closing = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED", "MESSAGE_TURN_FINISHED"]
    asking = story(log).index("> > PERMISSION_REQUEST")
    assert story(log)[asking + 1 :] == [
        "INTERRUPTION_HANDLED",
        "> > AGENT_REQUEST_CANCELLED",
        *(f"> > {line}" for line in closing),
        *(f"> {line}" for line in closing),
        *closing,
        "BRANCH_RUN_COMPLETED",
    ]
    _assert_interrupted(log)
    check_log(log)
    assert (again.status_code, again.json()["outcome"]) == (409, "cancelled")


def _has_done(server: ServerProcess, session: str, mark: str) -> Callable[[], Any]:
    async def done() -> bool:
        return mark in marks(server, session)

    return done


def _assert_interrupted(log: list[dict[str, Any]]) -> None:
    last = log[-1]
    assert (last["status"], last["cancelled"], last["reason"]) == ("cancelled", True, "enough")
    ends = [event for event in log if event["type"] == "MESSAGE_TURN_FINISHED"]
    assert {event["terminationReason"] for event in ends} == {"interrupted"}
    results = [event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert all(result["resultType"] == "interrupted" for result in results)
