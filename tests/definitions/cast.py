"""A file to be served: tools that definitions can name, and an agent that lets others work."""

from pathlib import Path

import hosting


@hosting.tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


@hosting.tool(safe_to_retry=True)
def crash(city: str) -> str:
    """Fail as no tool should."""
    raise RuntimeError(f"no way to {city}")


@hosting.tool(requires_permission=True)
def book(city: str) -> str:
    """Book a journey."""
    with Path("booked.txt").open("a", encoding="utf-8") as notes:
        notes.write(f"{city}\n")
    return f"booked {city}"


@hosting.agent("director")
async def director(context: hosting.RunContext) -> None:
    """Let the agent work that the input names."""
    said = await context.run_agent(context.text, "Begin.")
    await context.say(f"They said: {said}")


@hosting.tool(safe_to_retry=True)
async def wonder(context: hosting.ToolContext) -> str:
    """Ask the user something."""
    return await context.clarify("Which one?")
