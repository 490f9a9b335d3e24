"""Agents that ask in every way, as a user would write them; served by the tests of this package."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import hosting
from events.interactions import Request, Response
from events.tools import ResultType, ToolResult, ToolText
from hosting.adapters.agents.demo import DemoAgent
from hosting.ports.agents import Limits, RunContext
from hosting.ports.tools import Tool, ToolContext
from middleware.errors import RequestExpired


class PaymentResponseEvent(Response, frozen=True, kw_only=True):
    """Pays, or does not."""

    request_id: str
    paid: int


class PaymentRequestEvent(Request, frozen=True, kw_only=True):
    """Asks for money."""

    answered_by: ClassVar[type[Response]] = PaymentResponseEvent

    request_id: str
    amount: int


async def say(context: RunContext, text: str) -> None:
    """Say a text in one message."""
    await context.model_call(lambda reply: reply.text(text), arguments=text)


@hosting.agent("payer")
async def payer(context: RunContext) -> None:
    """Ask for as much as the input says, and wait for as many seconds as it says."""
    amount, *seconds = context.input[-1].text.split()
    within = timedelta(seconds=float(seconds[0])) if seconds else None
    request = PaymentRequestEvent(request_id=context.new_request_id(), source_name="Till", amount=int(amount))
    try:
        answer = await context.request(request, PaymentResponseEvent, within=within)
    except RequestExpired:
        await say(context, "I was not paid in time.")
    else:
        await say(context, f"I was paid {answer.paid} of {amount}.")


@hosting.agent("own-ids")
async def own_ids(context: RunContext) -> None:
    """Ask with the id that the input says."""
    request = PaymentRequestEvent(request_id=context.input[-1].text, source_name="Till", amount=1)
    answer = await context.request(request, PaymentResponseEvent)
    await say(context, f"I was paid {answer.paid}.")


@hosting.agent("curious")
async def curious(context: RunContext) -> None:
    """Ask twice: the first question waits as many seconds as the input says, the second as long as it takes."""
    first = PaymentRequestEvent(request_id=context.new_request_id(), source_name="Till", amount=1)
    second = PaymentRequestEvent(request_id=context.new_request_id(), source_name="Till", amount=2)
    with contextlib.suppress(RequestExpired):
        await context.request(first, PaymentResponseEvent, within=timedelta(seconds=float(context.input[-1].text)))
    await context.request(second, PaymentResponseEvent)
    await say(context, "That was all.")


class Demo(DemoAgent):
    """The demo agent with limits of its own."""

    def __init__(self, agent_id: str, limits: Limits) -> None:
        self.agent_id = agent_id
        self.limits = limits


def limits(within: timedelta | None) -> Limits:
    """Return limits of one model call, three with an answer that does not say, and the same deadline for all."""
    return Limits(
        iterations=1,
        extension=2,
        permission_timeout=within,
        continuation_timeout=within,
        clarification_timeout=within,
        client_tool_timeout=within,
    )


hurried = Demo("hurried", limits(timedelta(seconds=0.3)))
patient = Demo("patient", limits(None))


async def _text(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return "plain text"


async def _json(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return {"given": dict(arguments), "list": [1, 2.5, None, True]}


async def _nothing(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return None


async def _result(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return ToolResult(content=(ToolText(text="a piece"),), result_type=ResultType.TIMEOUT)


async def _object(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return object()


async def _surrogate(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return "half \ud800 a pair"


async def _private(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    raise RuntimeError("password=hunter2 in /etc/secret")


class OutOfStock(hosting.AgentError):
    """For people to read."""


async def _public(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    raise OutOfStock("There are no pears.")


async def _ask(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return await context.clarify("Red or green?", ["red", "green"])


async def _ask_twice(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    return [await context.clarify("Which one?"), await context.clarify("And which other?")]


async def _endless(context: ToolContext, arguments: Mapping[str, Any]) -> object:
    await asyncio.Event().wait()


class _Flaky:
    """A tool that fails the first time that a call is made."""

    def __init__(self) -> None:
        self._failed: set[str | None] = set()

    async def __call__(self, context: ToolContext, arguments: Mapping[str, Any]) -> object:
        if context.call_id not in self._failed:
            self._failed.add(context.call_id)
            raise RuntimeError("not yet")
        return "the second time"


TOOLS = [
    Tool("text", _text),
    Tool("json", _json),
    Tool("nothing", _nothing),
    Tool("result", _result),
    Tool("object", _object),
    Tool("surrogate", _surrogate),
    Tool("private", _private),
    Tool("public", _public),
    Tool("ask", _ask),
    Tool("ask-twice", _ask_twice),
    Tool("gated-ask", _ask, requires_permission=True),
    Tool("endless", _endless, timeout=timedelta(milliseconds=50)),
    Tool("flaky", _Flaky(), retries=1),
]


@hosting.agent("caller")
async def caller(context: RunContext) -> None:
    """Call the tools that the input names, as one batch for each line, and say what came of each."""
    said: list[str] = []
    for line in context.input[-1].text.splitlines():
        names = line.split()

        async def write(reply: hosting.Reply, names: list[str] = names) -> None:
            for name in names:
                await reply.call(name, {"name": name})

        message = await context.model_call(write, arguments=names)
        said += [f"{outcome.name}: {outcome.text}" for outcome in await context.call_tools(message, TOOLS)]
    await say(context, "; ".join(said))
