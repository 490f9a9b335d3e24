"""Agents whose model fails at first, for the tests beside this file; served as a user's file."""

import hosting
from hosting import AgentError, Limits, Reply, RunContext


class Overloaded(AgentError):
    """The model has too much to do, and may have less soon."""

    is_retryable = True


@hosting.agent("flaky", limits=Limits(model_retries=1))
async def flaky(context: RunContext) -> None:
    """Fail in the middle of a message with a call, then answer, and tell what the conversation has."""
    tries = 0

    async def write(reply: Reply) -> None:
        nonlocal tries
        tries += 1
        await reply.text(f"try {tries}")
        if tries == 1:
            await reply.call("nothing", {})
            raise Overloaded("too much to do")

    await context.model_call(write)
    said = [message.text for message in await context.history()]

    async def tell(reply: Reply) -> None:
        await reply.text(f"history: {said}")

    await context.model_call(tell, name="tell")
