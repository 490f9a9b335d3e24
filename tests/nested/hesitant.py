"""Agents that do not come back to what they were inside of as long as a file is there, as a file to be served."""

SOURCE = """
import asyncio
from pathlib import Path

from hosting import Tool, agent


async def delegate(context, agent_id, task):
    while Path("shut").exists():
        await asyncio.sleep(0.01)

    async def ask(inside, given):
        return await inside.run_agent(agent_id, task)

    tool = Tool("delegate", ask, safe_to_retry=True)
    message = await context.model_call(lambda reply: reply.call("delegate", {}), name="delegate")
    await context.call_tools(message, [tool])


@agent("outer")
async def outer(context):
    await delegate(context, "inner", "Deeper!")


@agent("inner")
async def inner(context):
    await delegate(context, "demo", "/permission")
"""
