"""The demo agent: scripted, without key or network; says what it is told to, so that everything can be tried."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hosting.adapters.agents.demo_scenes import ITERATIONS, SCENES
from hosting.adapters.agents.demo_summary import summary_of
from hosting.adapters.agents.demo_words import number, pieces, speak
from hosting.ports.agents import Limits, Reply, RunContext
from hosting.ports.summaries import Summary, SummaryContext, ToSummarize
from middleware.errors import AgentError

_MOST_TOKENS = 1_000_000
_LONGEST_DELAY_MS = 60_000
_TOKENS_HELP = f"Say /tokens N [delayMs]: N up to {_MOST_TOKENS}, delayMs up to {_LONGEST_DELAY_MS}."
_SLOW_MS: Final = 50
_HELP = (
    "Commands: /tokens N [delayMs] streams N deltas; /slow N streams them 50 ms apart; /reason thinks first; "
    "/fail fails; /history tells what I was given; /tool calls a tool; /permission asks before it calls one; "
    "/parallel asks for three at once; /clarify asks you something; /continue goes past my limit of iterations; "
    "/client-tool calls the first tool of yours; /subagent lets another agent work; /compact [N] [hard] summarises all "
    "but the last N messages. Anything else I talk about."
)

Command = Callable[[RunContext, Reply, list[str]], Awaitable[None]]
"""Writes the one message of a run."""


class DemoFailure(AgentError):
    """The failure that was asked for."""

    def __init__(self) -> None:
        super().__init__("You asked the demo agent to fail, and it did.")


class DemoAgent:
    """Answers plain text with an echo in many deltas, and commands that begin with a slash as they say."""

    name = "Demo"
    limits = Limits(iterations=ITERATIONS)
    can_summarize = True

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        said = context.input[-1].text
        word, *arguments = said.split() or [""]
        scene = SCENES.get(word)
        if scene is not None:
            await scene(context, arguments)
            return
        command = _COMMANDS.get(word, _chat)

        async def write(reply: Reply) -> None:
            await command(context, reply, arguments)

        await context.model_call(write, name="demo", arguments=said)

    async def summarize(self, context: SummaryContext, wanted: ToSummarize) -> Summary:
        """See Summarizing.summarize."""
        return Summary(summary_of(wanted))


async def _chat(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    said = context.input[-1].text
    answer = f"Unknown command. {_HELP}" if said.startswith("/") else f"You said: {said.strip()} — try /help for more."
    await speak(reply, answer)


async def _help(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    await speak(reply, _HELP)


async def _tokens(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    count = number(arguments, 0, default=100, most=_MOST_TOKENS)
    delay_ms = number(arguments, 1, default=0, most=_LONGEST_DELAY_MS)
    if count is None or delay_ms is None:
        # Not another number than the one asked for: whoever counts the deltas must be able to rely on it.
        await speak(reply, _TOKENS_HELP)
        return
    for index in range(count):
        await reply.text(f"tok{index} ")
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)


async def _slow(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    await _tokens(context, reply, [*(arguments[:1] or ["20"]), str(_SLOW_MS)])


async def _reason(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    for piece in pieces("The user wants to see me think, so I think about what to say."):
        await reply.reason(piece)
    await speak(reply, "I have thought about it, and this is what I say.")


async def _fail(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    await speak(reply, "Here it comes:")
    raise DemoFailure


async def _history(context: RunContext, reply: Reply, arguments: list[str]) -> None:
    messages = await context.history()
    listed = " ".join(message.id for message in messages)
    await speak(reply, f"I was given {len(messages)} messages: {listed}")


_COMMANDS: dict[str, Command] = {
    "/help": _help,
    "/tokens": _tokens,
    "/slow": _slow,
    "/reason": _reason,
    "/fail": _fail,
    "/history": _history,
}
