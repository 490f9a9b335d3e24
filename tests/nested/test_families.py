"""Agents that let others work: what fails, what is side by side, and what goes too deep."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from events.event import Event
from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import RunContext
from middleware.errors import AgentError
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.talk import Log, talking
from tests.nested.family import Meeting, boss, delegate


def _of(log: Log, wire_type: str) -> Log:
    return [event for event in log if event["type"] == wire_type]


def _spoken(log: Log) -> str:
    last = _of(log, "TEXT_MESSAGE_END")[-1]["messageId"]
    return "".join(event["text"] for event in _of(log, "TEXT_DELTA") if event["messageId"] == last)


@pytest.mark.parametrize(
    ("error", "told", "kind"),
    [
        (AgentError("I cannot do that."), "I cannot do that.", "AgentError"),
        (ValueError("/etc/passwd"), "The agent failed.", "ValueError"),
    ],
)
async def test_a_subagent_that_fails_is_a_call_that_failed_and_its_parent_goes_on(
    database_url: str, error: Exception, told: str, kind: str
) -> None:
    async def fail(context: RunContext) -> None:
        async def write(reply: Any) -> None:
            await reply.text("I will ")
            raise error

        await context.model_call(write)

    agents = [FunctionAgent("fails", fail, "Fails"), boss([("fails", "Try.")])]
    async with hosted(database_url, agents) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        log = await talk.idle()

    assert _spoken(log) == f"error: Error: {told}"
    [failed] = _of(log, "MESSAGE_TURN_ERROR")
    assert (failed["message"], failed["errorType"], failed["metadata"]["depth"]) == (told, kind, 1)
    assert log[-1]["status"] == "completed"
    assert types(log)[10:16] == [
        "AGENT_TURN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_DELTA",
        "TEXT_MESSAGE_END",
        "MESSAGE_TURN_ERROR",
        "TOOL_CALL_RESULT",
    ]


async def test_subagents_side_by_side_interleave_and_each_has_its_own_place(database_url: str) -> None:
    agents = [Meeting(2).agent(), boss([("meets", "left"), ("meets", "right")])]
    async with hosted(database_url, agents) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        log = await talk.idle()

    assert _spoken(log) == "fine: left 0 left 1 left 2  | fine: right 0 right 1 right 2 "
    outer, left, right = _of(log, "MESSAGE_TURN_STARTED")
    assert left["parentSpanId"] == right["parentSpanId"] == outer["spanId"]
    assert left["spanId"] != right["spanId"]
    assert left["messageTurnId"] != right["messageTurnId"]
    inside = [event for event in log if event.get("metadata")]
    flows = [event["eventFlowId"] for event in inside]
    assert flows.count(left["messageTurnId"]) == flows.count(right["messageTurnId"]) == len(flows) / 2
    # Not one behind the other: each began before the other ended.
    first_end = types(inside).index("MESSAGE_TURN_FINISHED")
    assert set(flows[:first_end]) == {left["messageTurnId"], right["messageTurnId"]}
    for turn in (left, right):
        own = [event for event in inside if event["eventFlowId"] == turn["messageTurnId"]]
        assert types(own) == [
            "MESSAGE_TURN_STARTED",
            "AGENT_TURN_STARTED",
            "TEXT_MESSAGE_START",
            "TEXT_DELTA",
            "TEXT_MESSAGE_END",
            "AGENT_TURN_FINISHED",
            "MESSAGE_TURN_FINISHED",
        ]


async def test_of_two_side_by_side_one_is_interrupted_and_the_other_goes_on(database_url: str) -> None:
    async def ask(context: RunContext) -> None:
        answer = await context.clarify(f"{context.input[-1].text}?")
        await context.model_call(lambda reply: reply.text(answer))

    agents = [FunctionAgent("asks", ask, "Asks"), boss([("asks", "left"), ("asks", "right")])]
    async with hosted(database_url, agents) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        questions = {asked["request"]["question"]: asked for asked in await talk.asked(2)}
        left, right = questions["left?"], questions["right?"]
        answer = await talk.interrupt(reason="Enough.", eventFlowId=left["request"]["eventFlowId"])
        [still] = await talk.asked(1)
        await talk.answer(right, question="right?", answer="yes")
        log = await talk.idle()

    assert (answer.status_code, still) == (202, right)
    assert _spoken(log) == "error: Error: Interrupted: Enough. | fine: yes"
    [cancelled] = _of(log, "AGENT_REQUEST_CANCELLED")
    assert cancelled["requestId"] == left["requestId"]


async def test_an_agent_that_nobody_knows_is_a_call_that_failed(database_url: str) -> None:
    async with (
        hosted(database_url, [boss([("nobody", "Try."), ("demo", "Hi")])]) as (url, _),
        talking(url, "boss") as talk,
    ):
        await talk.say("go")
        log = await talk.idle()

    unknown, known = _spoken(log).split(" | ")
    assert unknown.startswith("error: Error: ")
    assert "nobody" in unknown
    assert known == "fine: You said: Hi — try /help for more."
    assert len(_of(log, "MESSAGE_TURN_STARTED")) == 2


async def test_agents_cannot_be_inside_of_each_other_without_end(database_url: str) -> None:
    deepest: list[int] = []

    async def descend(context: RunContext) -> None:
        deepest.append(len(deepest))
        [outcome] = await delegate(context, [("descends", "Deeper!")])
        await context.model_call(lambda reply: reply.text(outcome.text))

    async with (
        hosted(database_url, [FunctionAgent("descends", descend, "Descends")]) as (url, _),
        talking(url, "descends") as talk,
    ):
        await talk.say("go")
        log = await talk.idle()

    depths = [event.get("metadata", {}).get("depth", 0) for event in _of(log, "MESSAGE_TURN_STARTED")]
    assert depths == deepest == list(range(9))
    assert _spoken(log) == "Error: Agents can be 8 deep inside of each other."
    assert log[-1]["status"] == "completed"


async def test_a_subagent_knows_only_what_it_was_asked(database_url: str) -> None:
    known: list[list[tuple[str, str]]] = []

    async def look(context: RunContext) -> None:
        known.append([(message.role, message.text) for message in await context.history()])
        await context.model_call(lambda reply: reply.text("First."))
        known.append([(message.role, message.text) for message in await context.history()])

    agents = [FunctionAgent("looks", look, "Looks"), boss([("looks", "Look!")])]
    async with hosted(database_url, agents) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        await talk.idle()

    assert known == [[("user", "Look!")], [("user", "Look!"), ("assistant", "First.")]]


class Noticed(Event, frozen=True, kw_only=True):
    """Something that only these tests know."""

    wire_type = "NOTICED"

    what: str


async def test_what_a_subagent_emits_itself_is_in_its_place_too(sqlite_url: str) -> None:
    async def notice(context: RunContext) -> None:
        await context.emit(Noticed(what="a bird"))

    agents = [FunctionAgent("notices", notice, "Notices"), boss([("notices", "Look!")])]
    async with hosted(sqlite_url, agents, events=[Noticed]) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        log = await talk.idle()

    [noticed] = _of(log, "NOTICED")
    turn = _of(log, "MESSAGE_TURN_STARTED")[1]
    assert {name: noticed[name] for name in ("metadata", "traceId", "spanId", "parentSpanId", "eventFlowId")} == {
        name: turn[name] for name in ("metadata", "traceId", "spanId", "parentSpanId", "eventFlowId")
    }


async def test_a_subagent_that_takes_longer_than_its_call_may_is_closed_with_it(database_url: str) -> None:
    async def ask(context: RunContext) -> None:
        async def write(reply: Any) -> None:
            await reply.text("Well, ")
            await asyncio.Event().wait()

        await asyncio.gather(context.clarify("Really?"), context.model_call(write))

    agents = [FunctionAgent("asks", ask, "Asks"), boss([("asks", "Go!")], seconds=0.5)]
    async with hosted(database_url, agents) as (url, _), talking(url, "boss") as talk:
        await talk.say("go")
        log = await talk.idle()
        open_questions = await talk.get("interactions")

    assert "longer than" in _spoken(log)
    assert (log[-1]["status"], open_questions) == ("completed", [])
    result = types(log).index("TOOL_CALL_RESULT")
    assert types(log)[result - 4 : result] == [
        "AGENT_REQUEST_CANCELLED",
        "TEXT_MESSAGE_END",
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
    ]
    inner, outer = _of(log, "MESSAGE_TURN_FINISHED")
    assert (inner["terminationReason"], "terminationReason" in outer) == ("given_up", False)


async def test_a_deaf_subagent_is_left_behind_when_its_time_is_over_and_says_no_more(database_url: str) -> None:
    wake, tried = asyncio.Event(), asyncio.Event()

    async def be_deaf(context: RunContext) -> None:
        async def write(reply: Any) -> None:
            await reply.text("early")
            while not wake.is_set():
                with suppress(asyncio.CancelledError):
                    await wake.wait()
            try:
                await reply.text("late")
            finally:
                tried.set()

        await context.model_call(write)

    agents = [FunctionAgent("deaf", be_deaf, "Deaf"), boss([("deaf", "Go!")], seconds=0.5)]
    async with hosted(database_url, agents) as (url, server), talking(url, "boss") as talk:
        await talk.say("go")
        ended = await talk.idle()
        left_behind = len(server.stragglers)
        wake.set()
        await tried.wait()
        log = await talk.idle()

    assert (log, left_behind) == (ended, 1)
    assert "longer than" in _spoken(log)
