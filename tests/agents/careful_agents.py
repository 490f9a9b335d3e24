"""Agents as an author's first ones are: functions that say, call and return; what is done is noted in `calls.txt`."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from hosting import CallDenied, CallFailed, Reply, RunContext, ToolContext, agent, tool


def note(what: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as notes:
        notes.write(f"{what}\n")


@dataclass
class Bed:
    length: float
    width: float = 1.0


@tool(requires_permission=True)
async def delete_file(name: str, times: int = 1) -> str:
    """Delete a file."""
    note(f"deleted {name}")
    return f"{name} is deleted."


@tool
def measure(context: ToolContext, bed: Bed) -> dict[str, object]:
    """Measure a bed, in a thread."""
    note("measured")
    is_apart = threading.current_thread() is not threading.main_thread()
    return {"area": bed.length * bed.width, "apart": is_apart, "call": context.call_id is not None}


@tool
def explode() -> None:
    """Leave the server, or try to."""
    raise SystemExit(4)


async def _slowly() -> AsyncIterator[str]:
    for _ in range(3):
        yield "slowly "


@agent
async def cleaner(context: RunContext) -> None:
    await context.say(f"You want {context.text} gone; I have to ask first.")
    await context.say(await context.call(delete_file, name=context.text))
    await context.say(_slowly())
    await context.say(await context.clarify("Anything else?"))


@agent("polite", name="The polite one")
async def asks_nicely(context: RunContext) -> str:
    try:
        return str(await context.call(delete_file, name=context.text))
    except CallDenied as denied:
        return f"{denied.tool}: {denied}"


@agent
async def gardener(context: RunContext) -> str:
    measured = await context.call(measure, bed={"length": 3})
    return f"{measured['area']:g} {measured['apart']} {measured['call']}"


@agent
async def clumsy(context: RunContext) -> str:
    said = []
    for given in ({"name": 7}, {}, {"name": "a.txt", "colour": "red"}, {"name": "a.txt", "times": None}):
        try:
            await context.call(delete_file, **given)
        except CallFailed as failed:
            said.append(str(failed))
    for unknown in ("no_such_tool", explode):
        try:
            await context.call(unknown)
        except CallFailed as failed:
            said.append(str(failed))
    return " ".join(said)


@agent
async def batch(context: RunContext) -> str:
    async def write(reply: Reply) -> None:
        await reply.call("delete_file", {"name": 7})
        await reply.call("measure", {"bed": {"length": 2}})

    outcomes = await context.call_tools(await context.model_call(write), [delete_file, measure])
    return " ".join(outcome.text for outcome in outcomes)


@agent
async def hasty(context: RunContext) -> None:
    await asyncio.gather(context.call(measure, bed={"length": 1}), context.call(measure, bed={"length": 2}))


@agent
async def fickle(context: RunContext) -> None:
    await context.say(f"My number is {uuid4()}.")
    await context.clarify("What is yours?")


async def plain(context):
    return f"{context.text}, plainly"


async def pieces(context: "RunContext", volume: int = 1) -> AsyncIterator[str]:
    for word in context.text.split():
        yield f"{word}! "


async def numbers(context):
    return 7


async def nothing(given: RunContext) -> None:
    """Say nothing, under another word for the context."""


again = plain


async def _hidden(context):
    return "nobody sees me"


async def of_a_tool(context: ToolContext) -> None:
    """Take another context."""


async def needs_more(context, volume):
    """Take what nobody gives."""


def not_async(context):
    """Block."""
