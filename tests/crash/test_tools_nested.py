"""Work inside of a run under `kill -9`: the same turns go on, and neither runs nor history know of them."""

from collections.abc import Callable

from tests.crash.fatal import ACTING, QUICK, marks, reckon
from tests.crash.questions import history, message_count, said, story, text_of, told
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

BEGUN = ["BRANCH_RUN_STARTED", "MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED", "MESSAGE_TURN_STARTED"]
LOST = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "MESSAGE_TURN_ERROR"]
CUT = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END interrupted"]
TOLD = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END", "AGENT_TURN_FINISHED"]
CALLED = ["AGENT_TURN_STARTED", "TOOL_CALL_START", "TOOL_CALL_ARGS"]
RETURNED = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED", *TOLD]
RESUMED = "MESSAGE_TURN_STARTED resumed"


def inside(*lines: str) -> list[str]:
    """Return what is told of something inside of a turn."""
    return [f"> {line}" for line in lines]


async def test_a_server_killed_inside_of_nested_work_goes_on_with_the_same_turns(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "boss talker go", agent="boss")
        await told(client, session, "TEXT_DELTA")

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        assert (await client.ended(session, run))["status"] == "completed"
        runs = (await client.http.get(f"/sessions/{session}/branches/main/runs")).json()
        log = await client.log(session)
        count = await message_count(client, session)
        given = await history(client, session)
    assert story(log) == [
        "BRANCH_CREATED",
        *BEGUN,
        *CALLED,
        *inside("MESSAGE_TURN_STARTED", *CALLED, *inside("MESSAGE_TURN_STARTED", *CUT)),
        "MODEL_CALL_RETRY",
        RESUMED,
        *inside(RESUMED, *inside(RESUMED, *TOLD, "MESSAGE_TURN_FINISHED"), *RETURNED, "MESSAGE_TURN_FINISHED"),
        *RETURNED,
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
    ]
    turns = [event["messageTurnId"] for event in log if event["type"] == "MESSAGE_TURN_STARTED"]
    assert turns[:3] == turns[3:]
    assert len(set(turns)) == 3
    assert [each["runtimeRunId"] for each in runs] == [run]
    check_log(log)
    spoken = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"]
    assert [text_of(log, message) for message in spoken] == ["one ", "one two", "one two", "one two"]
    assert count == 3
    assert given.startswith("I was given 4 messages:")
    assert [message for message in spoken if message in given] == spoken[-1:]


async def test_a_run_is_lost_with_the_tool_of_an_agent_inside_of_it(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        session = await client.session()
        run = await said(client, session, "boss worker look stay", agent="boss")
        await told(client, session, "TOOL_CALL_RESULT")

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        await client.ended(session, run)
        log = await client.log(session)
    last = await reckon(server, session)
    assert (last["status"], last["errorType"]) == ("failed", "RunLost")
    assert [mark.partition(" call_")[0] for mark in marks(server, session)] == ["look", "stay", "at stay"]
    lost = story(log).index("> > MESSAGE_TURN_STARTED resumed")
    assert story(log)[lost + 1 :] == [
        *inside(*inside(*LOST), *LOST),
        *LOST,
        "BRANCH_RUN_COMPLETED",
    ]
    assert {event["errorType"] for event in log if event["type"] == "MESSAGE_TURN_ERROR"} == {"RunLost"}
