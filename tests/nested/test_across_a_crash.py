"""Nested work goes on where a crash has cut it, as the same turn of the same run."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.order import types
from tests.harness.process import ServerProcess
from tests.interrupt.talk import Talk, talking
from tests.nested.hesitant import SOURCE


async def test_the_question_of_a_subagent_outlives_the_server(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with talking(server.url) as talk:
        accepted = await talk.say("/subagent 2")
        [asked] = await talk.asked()
        before = await talk.log()

    server.kill()
    server.start()

    async with Client(server.url) as client:
        talk = Talk(client, talk.session)
        [still] = await talk.asked()
        await talk.answer(still, approved=True)
        log = await talk.idle()
        runs = [run["runtimeRunId"] for run in await talk.get("runs")]
    assert still == asked
    assert runs == [accepted["runtimeRunId"]]
    assert log[: len(before)] == before
    began = [(event["messageTurnId"], event["isResume"]) for event in log if event["type"] == "MESSAGE_TURN_STARTED"]
    assert began[3:] == [(turn, True) for turn, _ in began[:3]]
    assert types(log).count("PERMISSION_REQUEST") == types(log).count("PERMISSION_APPROVED") == 1
    assert (types(log).count("TOOL_CALL_START"), types(log).count("TOOL_CALL_END")) == (3, 3)
    assert log[-1]["status"] == "completed"


async def test_an_interrupt_after_a_crash_closes_all_turns_deepest_first(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with talking(server.url) as talk:
        await talk.say("/subagent 2")
        await talk.asked()

    server.kill()
    server.start()

    async with Client(server.url) as client:
        talk = Talk(client, talk.session)
        await talk.interrupt(reason="Enough.")
        log = await talk.idle()
    ends = [event.get("metadata", {}).get("depth", 0) for event in log if event["type"] == "MESSAGE_TURN_FINISHED"]
    assert ends == [2, 1, 0]
    assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "Enough.")


async def test_an_interrupt_before_the_agent_is_back_inside_closes_what_it_had_begun_there(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "hesitant.py").write_text(SOURCE)
    server = make_server(database_url, "hesitant.py", lease_seconds=1).start()
    async with talking(server.url, "outer") as talk:
        await talk.say("Go!")
        await talk.asked()
    (tmp_path / "shut").touch()

    server.kill()
    server.start()

    async with Client(server.url, "outer") as client:
        talk = Talk(client, talk.session)
        await talk.logged(lambda event: event["type"] == "MESSAGE_TURN_STARTED" and event["isResume"])
        await talk.interrupt(reason="Enough.")
        log = await talk.idle()
    ends = [event.get("metadata", {}).get("depth", 0) for event in log if event["type"] == "MESSAGE_TURN_FINISHED"]
    assert ends == [2, 1, 0]
    assert types(log).count("AGENT_REQUEST_CANCELLED") == 1
    assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "Enough.")
