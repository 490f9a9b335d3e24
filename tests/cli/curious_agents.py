"""Agents for the server of these tests: what they ask and call is what the demo agent never would."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from events.clarification import ClarificationRequest, ClarificationResponse
from events.interactions import Request, Response
from events.tools import ToolBinary, ToolJson, ToolResult
from hosting.ports.agents import Reply, RunContext
from hosting.ports.tools import Tool, ToolContext
from middleware.errors import AgentError, RequestExpired

HOSTILE = "rm\u202e \x1b[2Kok\u009bm\nnext"


class ReviewVerdict(Response, frozen=True, kw_only=True):
    """Says how many stars."""

    request_id: str
    stars: int


class ReviewWanted(Request, frozen=True, kw_only=True):
    """How many stars?"""

    answered_by: ClassVar[type[Response]] = ReviewVerdict

    request_id: str
    title: str


class DiskFull(AgentError):
    """A failure that may pass."""

    is_retryable = True


class Curious:
    """Asks what it is told to ask."""

    agent_id = "curious"
    name = "Curious"

    async def run(self, context: RunContext) -> None:
        word, *arguments = context.input[-1].text.split()
        said = await _COMMANDS[word](context, *arguments)

        async def write(reply: Reply) -> None:
            await reply.text(said)

        await context.model_call(write, name="say", arguments=said)


async def _review(context: RunContext) -> str:
    request = ReviewWanted(request_id=context.new_request_id(), source_name="Reviews", title="Dune\x1b[2K")
    verdict = await context.request(request, ReviewVerdict, within=timedelta(minutes=5))
    return f"{verdict.stars} stars."


async def _hasty(context: RunContext, seconds: str) -> str:
    request = ClarificationRequest(request_id=context.new_request_id(), source_name="Hasty", question="Quick?")
    try:
        answer = await context.request(request, ClarificationResponse, within=timedelta(seconds=float(seconds)))
    except RequestExpired:
        return "Too slow."
    return f"You said {answer.answer}."


async def _chatty(context: RunContext, count: str) -> str:
    """Talk beside a question, as soon as a second one was answered."""
    pending = asyncio.Event()

    async def ask(inside: ToolContext, given: Mapping[str, Any]) -> str:
        pending.set()
        return await inside.clarify("Are you there?")

    async def chat(inside: ToolContext, given: Mapping[str, Any]) -> str:
        await pending.wait()
        await inside.clarify("Shall I talk?")
        return await inside.run_agent("demo", f"/tokens {count}")

    await _call(context, [("ask", {}), ("chat", {})], [_safe("ask", ask), _safe("chat", chat)])
    return "Done."


async def _odd(context: RunContext) -> str:
    async def give(inside: ToolContext, given: Mapping[str, Any]) -> ToolResult:
        image = ToolBinary(mime_type="image/png", data="AAAA", filename="cat.png")
        return ToolResult(content=(ToolJson(value={"n": 1}), image))

    async def nothing(inside: ToolContext, given: Mapping[str, Any]) -> None:
        return None

    async def fail(inside: ToolContext, given: Mapping[str, Any]) -> None:
        raise DiskFull("The disk is full.")

    async def slow(inside: ToolContext, given: Mapping[str, Any]) -> None:
        await asyncio.sleep(60)

    for tool, arguments in (
        (Tool("give", give), {"text": HOSTILE}),
        (Tool("nothing", nothing), {}),
        (Tool("fail", fail, retries=1), {"where": "/" + "x" * 500, "deep": [1, {"a": None}]}),
        (Tool("slow", slow, timeout=timedelta(milliseconds=50)), {}),
    ):
        await _call(context, [(tool.name, arguments)], [tool])
    return "Done."


async def _dangerous(context: RunContext) -> str:
    async def run(inside: ToolContext, given: Mapping[str, Any]) -> str:
        return "line 1\nline 2\x1b[2K\n" + "界" * 300

    arguments = {"command": HOSTILE, "script": "echo " * 40, "note": "界" * 10}
    tool = Tool("run", run, description="Runs\na command.\x1b[2K", requires_permission=True)
    await _call(context, [("run", arguments)], [tool])
    return "Done."


async def _call(context: RunContext, calls: list[tuple[str, dict[str, Any]]], tools: list[Tool]) -> None:
    async def write(reply: Reply) -> None:
        for name, arguments in calls:
            await reply.call(name, arguments)

    message = await context.model_call(write, name="call", arguments=[list(call) for call in calls])
    await context.call_tools(message, tools)


def _safe(name: str, work: Any) -> Tool:
    return Tool(name, work, safe_to_retry=True)


_COMMANDS: dict[str, Any] = {
    "/review": _review,
    "/hasty": _hasty,
    "/chatty": _chatty,
    "/odd": _odd,
    "/dangerous": _dangerous,
}

curious = Curious()
