"""Agents whose work `branchline worker` does, for the tests; the tests know what they did from files."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

import hosting
from events.event import Event
from hosting.adapters.agents.demo import DemoAgent
from hosting.ports.agents import RunContext


class Scripted(DemoAgent):
    """The demo agent under another id: it does everything that an agent can do."""

    agent_id = "scripted"


scripted = Scripted()


def note(word: str) -> None:
    """Write down that this process was here; the folder is the tests'."""
    with Path("notes.txt").open("a") as notes:
        notes.write(f"{word} {os.getpid()}\n")


async def gate(name: str) -> None:
    """Wait until the test makes a file."""
    while not os.path.exists(name):  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.02)


@hosting.agent
async def helper(context: RunContext) -> None:
    """Do two steps, with a gate between them, and tell of each."""

    async def first() -> str:
        note("first")
        return "one"

    async def second() -> str:
        note("second")
        return "two"

    said = await context.step("first", first)
    await context.say(f"I did {said}.")
    await gate(context.text)
    said = await context.step("second", second)
    await context.say(f"I did {said}.")


@hosting.agent
async def singer(context: RunContext) -> None:
    """Say a word at a time, each when the test lets it."""

    async def words() -> AsyncIterator[str]:
        for number in range(3):
            await gate(f"{context.text}-{number}")
            yield f"word{number} "

    await context.say(words())


modelled = Agent(TestModel(custom_output_text="I am a model."), name="modelled")


class OnlyHereEvent(Event, frozen=True, kw_only=True):
    """What the server was not told of."""

    word: str


@hosting.agent
async def inventor(context: RunContext) -> None:
    """Tell what the server does not know."""
    await context.say("Listen.")
    await context.emit(OnlyHereEvent(word="x"))


@hosting.agent
async def stayer(context: RunContext) -> None:
    """Stay until it is stopped, and write that down."""
    await context.say("I stay.")
    try:
        await asyncio.sleep(3600)
    finally:
        note("stopped")
