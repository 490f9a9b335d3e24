"""Agents with candidates of their own; the input says what is to become of the run, and for which type of work."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from events.turns import Usage
from hosting import Reply, RunContext, agent
from middleware.errors import ToolFailed

CANDIDATES = ("one", "two", "three", "four", "five", "six")


def _note(name: str, chosen: str) -> None:
    with Path(name).open("a", encoding="utf-8") as notes:
        notes.write(f"{chosen}\n")


def _is_open() -> bool:
    return Path("open").exists()


def _spending(dollars: float) -> Callable[[Reply], Awaitable[None]]:
    async def write(reply: Reply) -> None:
        reply.spend(Usage(cost_usd=dollars))
        await reply.text("Paid.")

    return write


@agent("chooses")
async def chooses(context: RunContext) -> None:
    deed, work_type = context.text.split()
    chosen = await context.route(CANDIDATES, work_type)
    _note(f"chosen-{work_type}", chosen)
    if deed == "wait" and not _is_open():
        await asyncio.Event().wait()
    if deed.startswith("spend"):
        await context.model_call(_spending(float(deed.removeprefix("spend="))))
    if deed == "fail":
        raise RuntimeError
    await context.say(chosen)


@agent("boss")
async def boss(context: RunContext) -> None:
    try:
        await context.run_agent("chooses", context.text)
    except ToolFailed:
        await context.say("Never mind.")


@agent("wants")
async def wants(context: RunContext) -> None:
    """Wants whatever the input names, in a way that may be wrong."""
    names = context.text.split(",")
    await context.say(await context.route(names if names != [""] else []))
