"""A deadline that passes while no server is there: the question is expired by the next one, and the run goes on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.crash.fatal import ACTING, QUICK
from tests.crash.questions import MY_TOOLS, Question, answer, asked, counted, listed, said, story
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

SOON = "PT2S"
EXPIRED = "AGENT_REQUEST_EXPIRED"
RETURNED = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED"]
TOLD = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END", "AGENT_TURN_FINISHED"]
ENDED = ["MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]

ASKED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "permission": ("/permission", {}, [EXPIRED, "PERMISSION_DENIED", *RETURNED, *TOLD, *ENDED]),
    "continuation": ("/continue 4", {}, [EXPIRED, *TOLD, *ENDED]),
    "clarification": ("/clarify", {}, [EXPIRED, *TOLD, *ENDED]),
    "client-tool": ("/client-tool ding", {"clientToolInput": MY_TOOLS}, [EXPIRED, *RETURNED, *TOLD, *ENDED]),
}
"""What is said to the demo agent, and what is told from the deadline on, by the session."""


async def test_a_question_whose_deadline_passed_while_no_server_was_there_is_expired_by_the_next(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, **QUICK).start()
    runs, questions = {}, {}
    async with Client(server.url) as client:
        for name, (text, config, _) in ASKED.items():
            session = await client.session(name)
            waits = {f"{kind}Timeout": SOON for kind in ("permission", "continuation", "clarification", "clientTool")}
            runs[name] = await said(client, session, text, config={**config, **waits})
            (questions[name],) = await asked(client, session)

    server.kill()
    await seconds_until(lambda: _are_late(questions), within=5)
    server.start()

    async with Client(server.url) as client:
        late = {name: await answer(client, name, question) for name, question in questions.items()}
        assert {name: (each.status_code, each.json()["outcome"]) for name, each in late.items()} == dict.fromkeys(
            ASKED, (409, "timed-out")
        )
        for name, (_, _, expected) in ASKED.items():
            await client.ended(name, runs[name])
            log = await client.log(name)
            # Who is first, the one who goes on with the run or the one who looks for deadlines, does not matter.
            lines = [line for line in story(log) if line != "MESSAGE_TURN_STARTED resumed"]
            assert (name, lines[lines.index(EXPIRED) :]) == (name, expected)
            assert (name, counted(log)[questions[name]["type"]]) == (name, 1)
            assert await listed(client, name) == []
            check_log(log)
        denied = await client.log("permission")
    assert next(event["reason"] for event in denied if event["type"] == "PERMISSION_DENIED") == "expired"
    assert next(event["result"]["resultType"] for event in denied if event["type"] == "TOOL_CALL_RESULT") == "denied"


async def test_a_server_that_dies_just_when_it_expires_a_question_does_not_expire_it_twice(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        (server.folder / "death").write_text(f"after {EXPIRED}")
        run = await said(client, session, "/permission", config={"permissionTimeout": "PT1S"})
    await asyncio.to_thread(server.wait)

    server.start()

    async with Client(server.url) as client:
        assert (await client.ended(session, run))["status"] == "completed"
        counts = counted(await client.log(session))
    assert {name: counts[name] for name in ("PERMISSION_REQUEST", EXPIRED, "PERMISSION_DENIED")} == {
        "PERMISSION_REQUEST": 1,
        EXPIRED: 1,
        "PERMISSION_DENIED": 1,
    }


async def _are_late(questions: dict[str, Question]) -> bool:
    deadlines = [datetime.fromisoformat(question["expiresAt"]) for question in questions.values()]
    return max(deadlines) < datetime.now(UTC)
