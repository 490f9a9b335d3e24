"""Agents for the tests of branches and forks, as a file that `branchline serve` takes."""

import asyncio

from hosting import Reply, RunContext, agent


@agent("keeper")
async def keeper(context: RunContext) -> None:
    """Keeps what it is told with the branch and with the session, `/keep BRANCH SESSION`, and says what it knows."""
    word, *given = context.input[-1].text.split()
    if word == "/keep":
        await context.keep("word", given[0])
        await context.keep("word", given[1], of_session=True)
    known = [await context.recall("word"), await context.recall("word", of_session=True)]
    await context.model_call(lambda reply: reply.text(" ".join(str(value) for value in known)))


@agent("deaf")
async def deaf(context: RunContext) -> None:
    """Does not hear that it is told to stop."""

    async def write(reply: Reply) -> None:
        await reply.text("I go on")
        while True:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    await context.model_call(write)
