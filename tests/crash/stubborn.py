"""Agents that do what no agent should, as a file that `branchline serve` takes."""

SOURCE = """
import asyncio
import sys

from hosting import RunContext, agent


@agent("deaf")
async def deaf(context: RunContext) -> None:
    async def write(reply):
        await reply.text("I go on")
        while True:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                pass

    await context.model_call(write)


@agent("quitter")
async def quitter(context: RunContext) -> None:
    async def write(reply):
        await reply.text("bye")
        asyncio.current_task().cancel()
        await asyncio.sleep(10)

    await context.model_call(write)


@agent("poison")
async def poison(context: RunContext) -> None:
    async def leave():
        sys.exit(2)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(leave())


@agent("late")
async def late(context: RunContext) -> None:
    saved = []

    async def write(reply):
        saved.append(reply)
        await reply.text("whole")

    await context.model_call(write)
    await saved[0].text("too late")
"""
