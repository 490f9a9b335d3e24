"""What the demo agent does beside talking: it calls tools, asks, and lets others work."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from events.client_tools import ClientTool
from events.compaction import Retention
from events.tools import CallType
from hosting.adapters.agents.demo_words import number, speak
from hosting.domain.message import Message
from hosting.ports.agents import Reply, RunContext
from hosting.ports.tools import Tool, ToolContext
from middleware.errors import RequestExpired

ITERATIONS: Final = 3
_MOST_ITERATIONS: Final = 100
_MOST_DEPTH: Final = 5
_KEPT: Final = 4
_MOST_KEPT: Final = 1_000_000
_RETENTIONS: Final[Mapping[str, Retention]] = {retention.value: retention for retention in Retention}

Scene = Callable[[RunContext, list[str]], Awaitable[None]]
"""Does what a command says, in as many messages as it takes."""

_Call = tuple[str, dict[str, Any]]


async def _get_weather(context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"city": arguments["city"], "temperature": 21, "sky": "clear"}


async def _read_file(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    return f"{arguments['path']} has 3 lines."


async def _write_file(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    return f"{arguments['path']} was written."


async def _delete_file(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    return f"{arguments['path']} was deleted."


WEATHER = Tool("get_weather", _get_weather, description="Tell the weather of a city.", safe_to_retry=True)
READ = Tool("read_file", _read_file, description="Read a file.", requires_permission=True, safe_to_retry=True)
WRITE = Tool("write_file", _write_file, description="Write a file.", requires_permission=True)
DELETE = Tool("delete_file", _delete_file, description="Delete a file for good.", requires_permission=True)


async def _tool(context: RunContext, arguments: list[str]) -> None:
    city = " ".join(arguments) or "Berlin"
    await _call(context, "Let me look at the weather.", [("get_weather", {"city": city})], [WEATHER])


async def _permission(context: RunContext, arguments: list[str]) -> None:
    path = arguments[0] if arguments else "notes.txt"
    await _call(context, "I would like to delete a file.", [("delete_file", {"path": path})], [DELETE])


async def _parallel(context: RunContext, arguments: list[str]) -> None:
    calls: list[_Call] = [(tool.name, {"path": f"{tool.name}.txt"}) for tool in (READ, WRITE, DELETE)]
    await _call(context, "I would like to do three things at once.", calls, [READ, WRITE, DELETE])


async def _clarify(context: RunContext, arguments: list[str]) -> None:
    try:
        answer = await context.clarify("Which colour do you like best?", ["red", "green", "blue"])
    except RequestExpired:
        await _say(context, "You did not say in time, so I go on without a colour.")
    else:
        await _say(context, f"So you like {answer}.")


async def _continue(context: RunContext, arguments: list[str]) -> None:
    count = number(arguments, 0, default=ITERATIONS + 2, most=_MOST_ITERATIONS)
    if count is None:
        await _say(context, f"Say /continue N: N up to {_MOST_ITERATIONS}.")
        return
    for index in range(count):
        await _say(context, f"This is iteration {index + 1} of {count}.")


async def _client_tool(context: RunContext, arguments: list[str]) -> None:
    first = next((tool for tool in await context.client_tools() if isinstance(tool.means, ClientTool)), None)
    if first is None:
        await _say(context, "You have no tools that I could call; send some as runConfig.clientToolInput.")
        return
    await _call(context, "Let me call a tool of yours.", [(first.name, {"text": " ".join(arguments)})], [])


async def _subagent(context: RunContext, arguments: list[str]) -> None:
    depth = number(arguments, 0, default=1, most=_MOST_DEPTH)
    if not depth:
        await _say(context, f"Say /subagent N: N from 1 up to {_MOST_DEPTH}.")
        return
    task = "/permission" if depth == 1 else f"/subagent {depth - 1}"

    async def ask(inside: ToolContext, given: Mapping[str, Any]) -> str:
        return await inside.run_agent(context.agent_id, given["task"])

    # Made of steps of its own, so a crash inside of it is no reason to give up.
    helper = Tool(
        "ask_subagent", ask, description="Let another agent work.", safe_to_retry=True, call_type=CallType.SUB_AGENT
    )
    await _call(context, "I let another agent do this.", [("ask_subagent", {"task": task})], [helper])


async def _compact(context: RunContext, arguments: list[str]) -> None:
    words = [word for word in arguments if word not in _RETENTIONS]
    keep = number(words, 0, default=_KEPT, most=_MOST_KEPT)
    if not keep or len(words) > 1 or len(arguments) > len(words) + 1:
        await _say(context, f"Say /compact [N] [soft|hard]: N from 1 up to {_MOST_KEPT}.")
        return
    wanted = next((_RETENTIONS[word] for word in arguments if word in _RETENTIONS), None)
    was_compacted = await context.compact(keep_messages=keep, retention=wanted)
    # What is said now, and the command itself, are not counted.
    left = len(await context.history()) - 1
    done = "I have compacted what was said before" if was_compacted else "There was nothing to compact"
    await _say(context, f"{done}; I am given {left} messages.")


async def _call(context: RunContext, text: str, calls: Sequence[_Call], tools: Sequence[Tool]) -> None:
    """Say something, call tools, and say what came of it."""
    types = {tool.name: tool.call_type for tool in tools}

    async def write(reply: Reply) -> None:
        await speak(reply, text)
        for name, arguments in calls:
            await reply.call(name, arguments, call_type=types.get(name, CallType.FUNCTION))

    message = await context.model_call(write, name="demo", arguments=[text, *calls])
    outcomes = await context.call_tools(message, tools)
    await _say(context, " ".join(f"{outcome.name}: {outcome.text}" for outcome in outcomes))


async def _say(context: RunContext, text: str) -> Message:
    async def write(reply: Reply) -> None:
        await speak(reply, text)

    return await context.model_call(write, name="demo", arguments=text)


SCENES: Final[dict[str, Scene]] = {
    "/tool": _tool,
    "/permission": _permission,
    "/parallel": _parallel,
    "/clarify": _clarify,
    "/continue": _continue,
    "/client-tool": _client_tool,
    "/subagent": _subagent,
    "/compact": _compact,
}
