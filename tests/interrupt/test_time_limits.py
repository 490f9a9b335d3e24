"""An agent that stops waiting for what it has begun, and goes on: that is closed at once, and nothing is left open."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import Reply, RunContext
from hosting.ports.tools import Tool, ToolContext
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.talk import Log, talking

CALL = ["TOOL_CALL_RESULT", "TOOL_CALL_END"]
MODEL = ["AGENT_TURN_FINISHED"]


async def _for_ever(*_: Any) -> None:
    await asyncio.Event().wait()


async def _speak_for_ever(context: RunContext) -> None:
    async def write(reply: Reply) -> None:
        await reply.text("Well, ")
        await _for_ever()

    await context.model_call(write)


async def _call(context: RunContext, work: Callable[[ToolContext, Mapping[str, Any]], Awaitable[Any]]) -> None:
    message = await context.model_call(lambda reply: reply.call("tool"))
    await context.call_tools(message, [Tool("tool", work)])


async def _call_for_ever(context: RunContext) -> None:
    await _call(context, _for_ever)


async def _ask_in_a_tool(context: RunContext) -> None:
    async def ask(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        return await inside.clarify("Really?")

    await _call(context, ask)


async def _call_what_is_gated(context: RunContext) -> None:
    async def write(reply: Reply) -> None:
        await reply.call("gated")
        await reply.call("gated")

    message = await context.model_call(write)
    await context.call_tools(message, [Tool("gated", _for_ever, requires_permission=True)])


async def _call_and_forget(context: RunContext) -> None:
    await context.model_call(lambda reply: reply.call("tool"))
    await _for_ever()


async def _ask(context: RunContext) -> None:
    await context.clarify("Really?")


async def _let_another_speak(context: RunContext) -> None:
    async def delegate(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        return await inside.run_agent("speaker", "Speak.")

    await _call(context, delegate)


BEGUN: dict[str, tuple[Callable[[RunContext], Awaitable[None]], list[str]]] = {
    "a message": (_speak_for_ever, ["TEXT_MESSAGE_END", *MODEL]),
    "a call": (_call_for_ever, [*CALL, *MODEL]),
    "a call that nobody made": (_call_and_forget, [*CALL, *MODEL]),
    "a call that asks": (_ask_in_a_tool, ["AGENT_REQUEST_CANCELLED", *CALL, *MODEL]),
    "gated calls": (_call_what_is_gated, [*["AGENT_REQUEST_CANCELLED"] * 2, *CALL, *CALL, *MODEL]),
    "a question": (_ask, ["AGENT_REQUEST_CANCELLED"]),
    "another agent": (_let_another_speak, ["TEXT_MESSAGE_END", *MODEL, "MESSAGE_TURN_FINISHED", *CALL, *MODEL]),
}


@pytest.mark.parametrize("begun", BEGUN)
async def test_what_an_agent_does_not_wait_for_is_closed_before_it_goes_on(database_url: str, begun: str) -> None:
    begin, closed_by = BEGUN[begun]

    async def run(context: RunContext) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await begin(context)
        await context.model_call(lambda reply: reply.text("So be it."))

    agents = [FunctionAgent("hasty", run), FunctionAgent("speaker", _speak_for_ever)]
    async with hosted(database_url, agents) as (url, _), talking(url, "hasty") as talk:
        await talk.say("go")
        log = await talk.idle()
        counted = (await talk.get(""))["messageCount"]
        await talk.say("go")
        again = await talk.idle()

    said = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END", *MODEL]
    tail = [*closed_by, *said, "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
    assert types(log)[-len(tail) :] == tail
    assert log[-1]["status"] == again[-1]["status"] == "completed"
    assert counted == len(_messages(log))


async def test_calls_that_were_given_up_or_made_are_not_made_again(sqlite_url: str) -> None:
    refused: list[str] = []

    async def run(context: RunContext) -> None:
        first = await context.model_call(lambda reply: reply.call("tool"))
        second = await context.model_call(lambda reply: reply.call("tool"))
        tools = [Tool("tool", _nothing)]
        await context.call_tools(second, tools)
        for message in (first, second):
            try:
                await context.call_tools(message, tools)
            except ValueError as error:
                refused.append(str(error))

    async with hosted(sqlite_url, [FunctionAgent("twice", run)]) as (url, _), talking(url, "twice") as talk:
        await talk.say("go")
        log = await talk.idle()

    assert len(refused) == 2
    results = [event["result"].get("resultType") for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert results == ["interrupted", None]


async def test_a_turn_makes_one_model_call_at_a_time(sqlite_url: str) -> None:
    async def run(context: RunContext) -> None:
        speaking = asyncio.create_task(_speak_for_ever(context))
        try:
            while True:
                await asyncio.sleep(0)
                with suppress(RuntimeError):
                    await context.model_call(lambda reply: reply.text("Me, too!"))
                    continue
                break
        finally:
            speaking.cancel()

    async with hosted(sqlite_url, [FunctionAgent("both", run)]) as (url, _), talking(url, "both") as talk:
        await talk.say("go")
        log = await talk.idle()

    assert log[-1]["status"] == "completed"
    assert "Me, too!" not in [event.get("text") for event in log]


async def _nothing(*_: Any) -> str:
    return ""


def _messages(log: Log) -> set[str]:
    own = [event for event in log if "metadata" not in event]
    return {
        event["messageId"] for event in own if event["type"].endswith(("_START", "_STARTED")) and "messageId" in event
    }
