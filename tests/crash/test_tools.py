"""Tool calls under `kill -9`: each has one result, and none whose effect cannot be known is made twice."""

import os
from collections.abc import Callable

import pytest

from tests.crash.fatal import ACTING, QUICK, Cut, cut, marks, reckon
from tests.crash.questions import history, message_count, said, story, told
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

COMPLETED, LOST = ("completed", None), ("failed", "RunLost")

GATED = [
    # The answer is not stored, and nobody was told that it is: it is given again.
    Cut("before PERMISSION_RESPONSE", COMPLETED, effects=1),
    # It is stored, whether the client heard so or not: nobody is asked for it again.
    Cut("before PERMISSION_APPROVED", COMPLETED, effects=1),
    # Told together with the step that the call is: from here on it may have had its effect.
    Cut("after PERMISSION_APPROVED", LOST, effects=0),
    Cut("before TOOL_CALL_RESULT", LOST, effects=1),
    Cut("after TOOL_CALL_RESULT", COMPLETED, effects=1),
    Cut("before BRANCH_RUN_COMPLETED", COMPLETED, effects=1),
]
"""Where a run is cut that asks before its one call, how it ends, and how often the tool has done its work."""

TWO = [
    Cut("before begin tool_call", COMPLETED, effects=2),
    Cut("after begin tool_call", LOST, effects=0),
    Cut("after AGENT_TURN_FINISHED", COMPLETED, effects=2),
]
"""The same of a run that makes two calls at once, of which one may be made again."""

SAFE = [
    # Allowed once and for all attempts, although the call is made again.
    Cut("after PERMISSION_APPROVED", COMPLETED, effects=1),
    Cut("before TOOL_CALL_RESULT", COMPLETED, effects=2),
]
"""The same of a run that asks before a call that may be made again."""


def kinds(did: list[str]) -> list[str]:
    """Return what was done, without the call it was done for."""
    return [mark.partition(" call_")[0] for mark in did]


async def play(server: ServerProcess, text: str, cuts: list[Cut]) -> None:
    """Cut one run after another, each in its own place, and look at what became of it."""
    for index, each in enumerate(cuts):
        session = f"s{index}"
        words = await cut(server, session, text, each.at, agent="worker")
        last = await reckon(server, session)
        effects = [mark for mark in marks(server, session) if not mark.startswith("at ")]

        assert words is not None, f"{each.at} never came"
        assert (each.at, last["status"], last.get("errorType")) == (each.at, *each.ends)
        assert (each.at, len(effects)) == (each.at, each.effects)


async def test_a_call_that_was_asked_for_is_made_once_wherever_its_run_is_cut(
    make_server: Make, database_url: str
) -> None:
    await play(make_server(database_url, ACTING, **QUICK).start(), "gated", GATED)


async def test_two_calls_side_by_side_are_made_once_wherever_their_run_is_cut(
    make_server: Make, database_url: str
) -> None:
    await play(make_server(database_url, ACTING, **QUICK).start(), "note look", TWO)


async def test_a_call_that_is_safe_to_retry_is_made_again_and_its_run_completes(
    make_server: Make, database_url: str
) -> None:
    await play(make_server(database_url, ACTING, **QUICK).start(), "gate", SAFE)


async def test_a_message_that_was_cut_between_its_calls_is_written_anew_and_only_then_called(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "go", agent="caller")
        await told(client, session, "TOOL_CALL_ARGS")

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        assert (await client.ended(session, run))["status"] == "completed"
        log = await client.log(session)
        assert await message_count(client, session) == 2
        given = await history(client, session)
    check_log(log)
    cut_off, *anew = [event["callId"] for event in log if event["type"] == "TOOL_CALL_START"]
    assert marks(server, session) == ["at caller", f"note {anew[0]}", f"look {anew[1]}"]
    retry = story(log).index("MODEL_CALL_RETRY")
    assert story(log)[retry - 3 : retry + 2] == [
        "TOOL_CALL_ARGS",
        "TOOL_CALL_RESULT",
        "TOOL_CALL_END",
        "MODEL_CALL_RETRY",
        "MESSAGE_TURN_STARTED resumed",
    ]
    results = {event["callId"]: event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"}
    assert results[cut_off]["resultType"] == "interrupted"
    assert [results[call]["text"] for call in anew] == ["noted", "looked"]
    first, second = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"]
    assert (first in given, second in given) == (False, True)


async def test_a_server_that_dies_while_tools_are_at_work_knows_which_of_them_it_may_call_again(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    runs = {}
    async with Client(server.url) as client:
        for session, text in (("safe", "note linger"), ("unsafe", "look stay")):
            runs[session] = await said(client, await client.session(session), text, agent="worker")
        for session in runs:
            # The other tool of the two is at work, and waits.
            await told(client, session, "TOOL_CALL_RESULT")

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        ends = {session: (await client.ended(session, run))["status"] for session, run in runs.items()}
    assert ends == {"safe": "completed", "unsafe": "failed"}
    assert (await reckon(server, "safe"))["status"] == "completed"
    assert (await reckon(server, "unsafe"))["errorType"] == "RunLost"
    assert kinds(marks(server, "safe")) == ["note", "linger", "at linger", "linger"]
    assert kinds(marks(server, "unsafe")) == ["look", "stay", "at stay"]


@pytest.mark.campaign
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("demo", "/permission"),
        ("demo", "/parallel"),
        ("demo", "/subagent 2"),
        ("demo", "/continue 4"),
        ("demo", "/clarify"),
        ("demo", "/client-tool ding"),
        ("demo", "/slow 6"),
        ("worker", "gated note look"),
        ("boss", "worker note look"),
        ("stepper", "0"),
    ],
)
async def test_b13_a_run_is_cut_at_each_of_its_commits(
    make_server: Make, database_url: str, when: str, agent: str, text: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    (server.folder / "open").touch()
    most = int(os.environ.get("ROUNDS", "200"))
    ends: dict[str, int] = {}

    # The first commit is the one that accepts the input: before it there is no run.
    for number in range(2, most):
        if await cut(server, f"s{number}", text, f"{when} {number}", agent=agent) is None:
            break
        last = await reckon(server, f"s{number}", in_model_turns=agent != "stepper")
        ends[last["status"]] = ends.get(last["status"], 0) + 1

    cuts = sum(ends.values())
    print(f"B13 {cuts} ok / {number - 2} total: {agent} {text!r} cut {when} each of its commits, {ends}")
    assert cuts > 2
