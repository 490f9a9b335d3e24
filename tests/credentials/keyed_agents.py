"""Agents that use credentials, in the server or at a worker; the tests know what they had from files."""

import asyncio
from pathlib import Path

import hosting


def note(name: str, word: str) -> None:
    """Write down a word for the tests."""
    with Path(name).open("a") as notes:
        notes.write(f"{word}\n")


@hosting.agent
async def teller(context: hosting.RunContext) -> None:
    """Say the credential that the input names; an agent that may be trusted with one would not."""
    await context.say((await context.credential(context.text)).reveal())


@hosting.tool
async def reveal(context: hosting.ToolContext, name: str) -> str:
    """Return a credential as a tool has it."""
    return (await context.credential(name)).reveal()


@hosting.agent
async def caller(context: hosting.RunContext) -> None:
    """Let a tool say it."""
    await context.say(await context.call(reveal, name=context.text))


@hosting.tool
async def delegate(context: hosting.ToolContext, name: str) -> str:
    """Let another agent say it, inside of this run."""
    return await context.run_agent("teller", name)


@hosting.agent
async def asker(context: hosting.RunContext) -> None:
    """Let another agent say it, and say it once more."""
    await context.say(await context.call(delegate, name=context.text))


@hosting.agent
async def keeper(context: hosting.RunContext) -> None:
    """Try to keep what must not be kept."""

    async def look() -> hosting.Secret:
        return await context.credential(context.text)

    try:
        await context.step("look", look)
    except TypeError as error:
        await context.say(f"refused {await context.credential(context.text)} {error}")


@hosting.agent
async def twice(context: hosting.RunContext) -> None:
    """Use a credential in two steps, with a gate between them; the input is the name of both files."""

    async def use(when: str) -> str:
        note(f"{context.text}.txt", f"{when} {(await context.credential('KEY')).reveal()}")
        return when

    await context.say(await context.step("first", lambda: use("first")))
    while not Path(f"{context.text}.gate").exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.02)
    await context.say(await context.step("second", lambda: use("second")))
