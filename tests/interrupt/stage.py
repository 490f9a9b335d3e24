"""An agent that stops where a test wants it to, and how agents may take it that they are cancelled there."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import Reply, RunContext
from hosting.ports.tools import Tool, ToolContext

Write = Callable[[], Awaitable[Any]]
Manner = Callable[[Write], Awaitable[None]]


async def obeys(write: Write) -> None:
    """Let the cancellation pass."""
    raise asyncio.CancelledError


async def goes_on(write: Write) -> None:
    """Swallow the cancellation, and go on as if nothing had happened."""


async def raises(write: Write) -> None:
    """Raise something else instead."""
    raise ValueError("a secret of /etc/passwd")


async def writes(write: Write) -> None:
    """Write something on the way out, and take no refusal for an answer."""
    for _ in range(3):
        with suppress(Exception):
            await write()
    raise asyncio.CancelledError


class Stage:
    """Lets the agent of one session pass, up to the point where it is to stop."""

    def __init__(self, stop_at: str, manner: Manner = obeys) -> None:
        self.stop_at = stop_at
        self.reached = asyncio.Event()
        self.left = asyncio.Event()
        self._manner = manner

    async def at(self, point: str, write: Write) -> None:
        """Stop here for good, if this is the point; `write` writes what can be written here."""
        if point != self.stop_at:
            return
        self.reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await self._manner(write)
        finally:
            self.left.set()


def staged_agent(stages: Mapping[str, Stage]) -> FunctionAgent:
    """Return an agent that speaks, calls two tools of which one is gated, asks, thinks and speaks, in stages.

    Told to `recall`, it says what it knows of the conversation: the id and the text of each message before.
    """

    async def run(context: RunContext) -> None:
        if context.input[-1].text == "recall":
            known = [(message.id, message.text) for message in (await context.history())[:-1]]
            await context.model_call(lambda reply: reply.text(json.dumps(known)))
        else:
            await _play(context, stages[context.scope.session_id])

    return FunctionAgent("staged", run)


async def _play(context: RunContext, stage: Stage) -> None:
    def look_for(point: str) -> Callable[[ToolContext, Mapping[str, Any]], Awaitable[str]]:
        async def work(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
            await stage.at(point, lambda: inside.step("late", _nothing))
            return "found"

        return work

    async def speak(reply: Reply) -> None:
        await stage.at("before the text", lambda: reply.text("late"))
        await reply.text("one ")
        await stage.at("in the text", lambda: reply.text("late"))
        await reply.call("look")
        await stage.at("behind a call", lambda: reply.call("look"))
        await reply.call("take")
        await stage.at("behind two calls", lambda: reply.call("look"))

    async def think(reply: Reply) -> None:
        await reply.reason("well ")
        await stage.at("in the thought", lambda: reply.text("late"))
        await reply.text("two ")
        await stage.at("behind the text", lambda: reply.text("late"))

    async def say(text: str) -> None:
        await context.model_call(lambda reply: reply.text(text))

    tools = [
        Tool("look", look_for("in a tool")),
        Tool("take", look_for("in a gated tool"), requires_permission=True),
    ]
    await stage.at("before the first model call", lambda: say("late"))
    message = await context.model_call(speak)
    await stage.at("before the tools", lambda: context.call_tools(message, tools))
    await context.call_tools(message, tools)
    await stage.at("behind the tools", lambda: say("late"))
    await context.clarify("Which one?")
    await stage.at("behind the question", lambda: context.clarify("Really?"))
    await context.model_call(think)
    await stage.at("behind all", lambda: say("late"))


async def _nothing() -> str:
    return ""
