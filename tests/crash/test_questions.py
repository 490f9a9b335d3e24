"""Questions outlive the server that asked them: asked once, listed still, answered, and the run goes on."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.crash.fatal import ACTING, QUICK
from tests.crash.questions import (
    MY_TOOLS,
    accepted,
    answer,
    asked,
    counted,
    history,
    listed,
    message_count,
    resumed,
    said,
    story,
    told,
)
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

BEGUN = ["BRANCH_RUN_STARTED", "MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED", "MESSAGE_TURN_STARTED"]
SPOKEN = ["TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END"]
CALLED = ["TOOL_CALL_START", "TOOL_CALL_ARGS"]
RETURNED = ["TOOL_CALL_RESULT", "TOOL_CALL_END"]
TOLD = ["AGENT_TURN_STARTED", *SPOKEN, "AGENT_TURN_FINISHED"]
ENDED = ["MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
RESUMED = "MESSAGE_TURN_STARTED resumed"


def inside(lines: list[str]) -> list[str]:
    """Return what is told of something inside of a turn; who answers is not inside."""
    return [line if line.endswith("_RESPONSE") else f"> {line}" for line in lines]


@dataclass(frozen=True)
class Kind:
    """A question of one kind: who asks it when told what, and what is told before the crash and after it."""

    text: str
    before: list[str]
    after: list[str]
    agent: str = "demo"
    questions: int = 1
    turns: int = 1
    config: dict[str, Any] = field(default_factory=dict)


CALLS = ["AGENT_TURN_STARTED", *SPOKEN, *CALLED]
ALLOWED = ["PERMISSION_RESPONSE", "PERMISSION_APPROVED", *RETURNED]
ASKED_TO_DELETE = [*CALLS, "PERMISSION_REQUEST"]
DELETED = [*ALLOWED, "AGENT_TURN_FINISHED", *TOLD]
HELPED = [*RETURNED, "AGENT_TURN_FINISHED", *TOLD]

KINDS = {
    "permission": Kind("/permission", ASKED_TO_DELETE, [RESUMED, *DELETED]),
    "three at once": Kind(
        "/parallel",
        ["AGENT_TURN_STARTED", *SPOKEN, *CALLED * 3, *["PERMISSION_REQUEST"] * 3],
        [RESUMED, *ALLOWED * 3, "AGENT_TURN_FINISHED", *TOLD],
        questions=3,
    ),
    "continuation": Kind("/continue 4", [*TOLD * 3, "CONTINUATION_REQUEST"], [RESUMED, "CONTINUATION_RESPONSE", *TOLD]),
    "clarification": Kind("/clarify", ["CLARIFICATION_REQUEST"], [RESUMED, "CLARIFICATION_RESPONSE", *TOLD]),
    "client tool": Kind(
        "/client-tool ding",
        ["CLIENT_TOOL_GROUPS_REGISTERED", *CALLS, "CLIENT_TOOL_INVOKE_REQUEST"],
        [RESUMED, "CLIENT_TOOL_INVOKE_RESPONSE", *HELPED],
        config={"clientToolInput": MY_TOOLS, "clientToolTimeout": "PT1H"},
    ),
    "one of its own": Kind("go", ["QUIZ_REQUEST"], [RESUMED, "QUIZ_RESPONSE", *TOLD], agent="quizzer"),
    "nested": Kind(
        "/subagent 2",
        [
            *CALLS,
            *inside(["MESSAGE_TURN_STARTED", *CALLS]),
            *inside(inside(["MESSAGE_TURN_STARTED", *ASKED_TO_DELETE])),
        ],
        [
            RESUMED,
            *inside([RESUMED]),
            *inside(inside([RESUMED, *DELETED, "MESSAGE_TURN_FINISHED"])),
            *inside([*HELPED, "MESSAGE_TURN_FINISHED"]),
            *HELPED,
        ],
        turns=3,
    ),
}


async def test_a_question_of_each_kind_is_asked_once_and_answered_after_a_crash(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    runs, questions = {}, {}
    async with Client(server.url) as client:
        for name, kind in KINDS.items():
            session = await client.session(name.replace(" ", "-"))
            runs[name] = await said(client, session, kind.text, agent=kind.agent, config=kind.config)
        for name, kind in KINDS.items():
            questions[name] = await asked(client, name.replace(" ", "-"), kind.questions)

    server.kill()
    server.start()

    for name, kind in KINDS.items():
        session = name.replace(" ", "-")
        async with Client(server.url) as client, client.feed(session) as feed:
            await resumed(client, session, kind.turns)
            assert (name, await listed(client, session)) == (name, questions[name])
            for done, question in enumerate(questions[name], 1):
                await accepted(client, session, question)
                # Each has its effect before the next is answered, so that the order is known.
                if kind.questions > 1:
                    await told(client, session, "TOOL_CALL_END", done)
            frames = await feed.until(completed)
            log, lines = await client.log(session), await client.log_lines(session)
            again = await answer(client, session, questions[name][0])
            count = await message_count(client, session)
            given = await history(client, session)

        check_log(log)
        assert (name, story(log)) == (name, ["BRANCH_CREATED", *BEGUN, *kind.before, *kind.after, *ENDED])
        assert (name, log[-1]["status"]) == (name, "completed")
        assert [frame.data for frame in frames] == lines[-len(frames) :]
        assert (again.status_code, again.json()["code"]) == (409, "branch-runtime-not-active")
        assert again.json()["outcome"] == "already-resolved"
        said_by_parent = [
            event for event in log if event["type"] == "TEXT_MESSAGE_START" and not event.get("metadata", {})
        ]
        assert (name, count) == (name, 1 + len(said_by_parent))
        assert given.startswith(f"I was given {count + 1} messages:")


async def test_a_reader_who_comes_after_the_crash_without_a_place_sees_what_is_asked(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        await said(client, session, "/parallel")
        questions = await asked(client, session, 3)

    server.kill()
    server.start()

    async with Client(server.url) as client:
        await resumed(client, session)
        async with client.feed(session) as feed:
            seen = [(await feed.until(lambda event: True))[0].json for _ in range(4)]
    assert seen == [*(question["request"] for question in questions), seen[-1]]
    assert story(seen)[-1] == RESUMED


async def test_a_run_that_waits_outlives_more_crashes_than_it_has_attempts(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, run_attempts=2, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "gate", agent="worker")
        (question,) = await asked(client, session)

    for crash in range(2):
        server.kill()
        server.start()
        async with Client(server.url) as client:
            await resumed(client, session, crash + 1)

    (server.folder / "death").write_text("before TOOL_CALL_END")
    async with Client(server.url) as client:
        assert await listed(client, session) == [question]
        with suppress(httpx.HTTPError):
            await answer(client, session, question)
    await asyncio.to_thread(server.wait)
    server.start()
    async with Client(server.url) as client:
        assert (await client.ended(session, run))["status"] == "completed"
        assert counted(await client.log(session))["PERMISSION_REQUEST"] == 1
