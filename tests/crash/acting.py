"""Agents that leave a mark of all they do in the server's folder, for servers that are killed while they do it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import lethal  # noqa: F401 - lets a test choose the commit at which the server dies

from events.interactions import Request, Response
from hosting import Reply, RunContext, agent
from hosting.ports.tools import Tool, ToolContext


def is_open() -> bool:
    """Say whether the test has opened the gates; before that, whoever comes to one stays."""
    return Path("open").exists()


class QuizResponse(Response, frozen=True, kw_only=True):
    wire_type: ClassVar[str] = "QUIZ_RESPONSE"

    request_id: str
    points: int


class QuizRequest(Request, frozen=True, kw_only=True):
    wire_type: ClassVar[str] = "QUIZ_REQUEST"
    answered_by: ClassVar[type[Response]] = QuizResponse

    request_id: str
    topic: str


def did(context: RunContext, what: str) -> int:
    """Leave a mark, and return how many like it there are now."""
    marks = Path(f"did-{context.scope.session_id}")
    with marks.open("a") as file:
        file.write(f"{what}\n")
    return marks.read_text().splitlines().count(what)


async def gate(context: RunContext, name: str) -> None:
    if not is_open():
        did(context, f"at {name}")
        await asyncio.Event().wait()


async def say(context: RunContext, text: str) -> None:
    async def write(reply: Reply) -> None:
        await reply.text(text)

    await context.model_call(write, arguments=text)


@agent("worker")
async def worker(context: RunContext) -> None:
    """Calls the tools that the input names, all at once, and tells what came of it."""
    names = context.input[-1].text.split()

    async def write(reply: Reply) -> None:
        await reply.text("Let me see.")
        for name in names:
            await reply.call(name)

    message = await context.model_call(write, arguments=names)
    outcomes = await context.call_tools(message, _tools(context))
    await say(context, " ".join(outcome.text for outcome in outcomes))


def _tools(run: RunContext) -> list[Tool]:
    async def note(context: ToolContext, arguments: Mapping[str, Any]) -> str:
        did(run, f"note {context.call_id}")
        return "noted"

    async def look(context: ToolContext, arguments: Mapping[str, Any]) -> str:
        did(run, f"look {context.call_id}")
        return "looked"

    async def stay(context: ToolContext, arguments: Mapping[str, Any]) -> str:
        did(run, f"stay {context.call_id}")
        await gate(run, "stay")
        return "stayed"

    async def linger(context: ToolContext, arguments: Mapping[str, Any]) -> str:
        did(run, f"linger {context.call_id}")
        await gate(run, "linger")
        return "lingered"

    return [
        Tool("note", note),
        Tool("gated", note, requires_permission=True),
        Tool("look", look, safe_to_retry=True),
        Tool("gate", look, requires_permission=True, safe_to_retry=True),
        Tool("stay", stay),
        Tool("linger", linger, safe_to_retry=True),
    ]


@agent("quizzer")
async def quizzer(context: RunContext) -> None:
    """Asks in a way of its own."""
    answer = await context.request(
        QuizRequest(request_id=context.new_request_id(), source_name="quiz", topic="rivers"), QuizResponse
    )
    await say(context, f"{answer.points} points")


STOPS = 8


@agent("stepper")
async def stepper(context: RunContext) -> None:
    """Does one thing after another, and stops before the one that the input names as long as the gates are shut."""
    stop = int(context.input[-1].text)

    async def before(number: int) -> None:
        if number == stop:
            await gate(context, str(number))

    async def roll() -> int:
        return did(context, "rolled") * 10

    async def add() -> int:
        return did(context, "added")

    await before(1)
    rolled = await context.step("roll", roll)
    await before(2)
    await context.keep("rolled", rolled)
    await before(3)
    kept = await context.recall("rolled")
    await before(4)
    colour = await context.clarify("Which colour?", ["red", "green"])
    await before(5)
    quiz = QuizRequest(request_id=context.new_request_id(), source_name="quiz", topic=colour)
    points = (await context.request(quiz, QuizResponse)).points
    await before(6)
    told = await context.run_agent("echo", f"{colour} {points}")
    await before(7)
    added = await context.step("add", add, arguments=[kept, points])
    await before(8)
    await say(context, f"{kept} {told} {added}")


@agent("echo")
async def echo(context: RunContext) -> None:
    """Says what it was told, and leaves a mark."""
    text = context.input[-1].text

    async def write(reply: Reply) -> None:
        did(context, "echoed")
        await reply.text(f"[{text}]")

    await context.model_call(write, arguments=text)


@agent("fickle")
async def fickle(context: RunContext) -> None:
    """Asks something else each time it begins again."""
    lives = did(context, "lived")
    await say(context, "I have a question.")
    await context.clarify(f"Is this life {lives}?")


@agent("swapper")
async def swapper(context: RunContext) -> None:
    """Has a tool that asks something else each time it is called."""

    async def ask(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        return await inside.clarify(f"Is this call {did(context, 'called')}?")

    async def write(reply: Reply) -> None:
        await reply.call("ask")

    message = await context.model_call(write)
    await context.call_tools(message, [Tool("ask", ask, safe_to_retry=True)])


@agent("hasty")
async def hasty(context: RunContext) -> None:
    """Fails while a question of its own is open, once the gates are open."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(context.clarify("Shall I wait?"))
        await gate(context, "hasty")
        raise RuntimeError("no time")


@agent("opener")
async def opener(context: RunContext) -> None:
    """Calls two groups of the client's tools at once, which shows what is in them."""

    async def write(reply: Reply) -> None:
        await reply.call("birds")
        await reply.call("trees")

    message = await context.model_call(write)
    await context.call_tools(message)
    await say(context, " ".join(sorted(tool.name for tool in await context.client_tools())))


@agent("forgetful")
async def forgetful(context: RunContext) -> None:
    """Has its tools in its first life only, as one whose server of tools is away afterwards."""
    name, has_tools = context.input[-1].text, did(context, "lived") == 1

    async def pay(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        did(context, "paid")
        await gate(context, "pay")
        return "paid"

    async def write(reply: Reply) -> None:
        await reply.call(name)

    tools = [Tool("pay", pay), Tool("ask", pay, description="Pays.", requires_permission=True)]
    message = await context.model_call(write, arguments=name)
    (outcome,) = await context.call_tools(message, tools if has_tools else [])
    await say(context, outcome.text)


@agent("retrier")
async def retrier(context: RunContext) -> None:
    """Has a tool whose first try fails half way in the first life, and whose second one is cut."""

    async def send(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        number = did(context, "tried")

        async def work() -> int:
            if number == 1:
                raise RuntimeError("not this time")
            if number == 2:
                await gate(context, "second try")
            return number

        await inside.step("reserve", partial(_did, context, "reserved"))
        sent = await inside.step("send", work)
        await inside.step("notify", partial(_did, context, "notified"))
        return f"sent by {sent}"

    async def write(reply: Reply) -> None:
        await reply.call("send")

    message = await context.model_call(write)
    (outcome,) = await context.call_tools(message, [Tool("send", send, safe_to_retry=True, retries=1)])
    await say(context, outcome.text)


async def _did(context: RunContext, what: str) -> int:
    return did(context, what)


@agent("boss")
async def boss(context: RunContext) -> None:
    """Lets the agent that the input names do what it says, and repeats its last words."""
    agent_id, _, task = context.input[-1].text.partition(" ")

    async def ask(inside: ToolContext, arguments: Mapping[str, Any]) -> str:
        return await inside.run_agent(agent_id, task)

    async def write(reply: Reply) -> None:
        await reply.call("ask")

    message = await context.model_call(write, arguments=task)
    (outcome,) = await context.call_tools(message, [Tool("ask", ask, safe_to_retry=True)])
    await say(context, outcome.text)


@agent("talker")
async def talker(context: RunContext) -> None:
    """Stops in the middle of a sentence as long as the gates are shut."""

    async def write(reply: Reply) -> None:
        await reply.text("one ")
        await gate(context, "talker")
        await reply.text("two")

    await context.model_call(write)


@agent("caller")
async def caller(context: RunContext) -> None:
    """Stops between the two calls of a message as long as the gates are shut."""

    async def write(reply: Reply) -> None:
        await reply.text("I call.")
        await reply.call("note")
        await gate(context, "caller")
        await reply.call("look")

    message = await context.model_call(write)
    await context.call_tools(message, _tools(context))


if not is_open():

    @agent("gone")
    async def gone(context: RunContext) -> None:
        """Asks, and is not there any more in the server's next life."""
        await context.clarify("Will you miss me?")
