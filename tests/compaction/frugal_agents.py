"""Agents that compact, each in its way; what is asked for a summary leaves a mark in the server's folder."""

import asyncio
from pathlib import Path

from events.compaction import CompactionStrategy, Retention
from hosting import AgentError, CompactionPolicy, RunContext, ToSummarize, agent


def mark(text: str) -> None:
    """Leave a mark."""
    with Path("paid").open("a") as marks:
        marks.write(f"{text}\n")


async def counted(wanted: ToSummarize) -> str:
    """Summarise by counting, and leave a mark."""
    mark(f"{wanted.messages[0].id} {wanted.messages[-1].id}")
    return f"{len(wanted.messages)} messages behind: {wanted.earlier}"


async def told(context: RunContext) -> str:
    """Tell what the agent was given."""

    async def look() -> str:
        return " ".join(message.id for message in await context.history())

    # Once: a run that begins again finds its own answer in the history, perhaps.
    return await context.step("look", look)


async def fails(wanted: ToSummarize) -> str:
    """Fail in words that are for everybody."""
    raise AgentError("There is no ink left.")


async def leaks(wanted: ToSummarize) -> str:
    """Fail in words that are for nobody."""
    raise RuntimeError("the key is hunter2")


async def is_silent(wanted: ToSummarize) -> str:
    """Say nothing."""
    return "  "


async def is_no_text(wanted: ToSummarize) -> str:
    """Return what is no summary."""
    return 7  # type: ignore[return-value]


async def is_cancelled(wanted: ToSummarize) -> str:
    """Wait for something that somebody has cancelled."""
    raise asyncio.CancelledError


async def is_unsendable(wanted: ToSummarize) -> str:
    """Return half of a surrogate pair."""
    return "\ud800"


HARD = CompactionPolicy(after_messages=6, keep_messages=2, retention=Retention.HARD)
SOFT = CompactionPolicy(after_messages=6, keep_messages=2)
SPARING = CompactionPolicy(after_tokens=50, keep_messages=2, strategy=CompactionStrategy.WINDOW)
FORKING = CompactionPolicy(keep_messages=2, on_fork=True)

hard = agent("hard", compaction=HARD, summarize=counted)(told)
soft = agent("soft", compaction=SOFT, summarize=counted)(told)
sparing = agent("sparing", compaction=SPARING)(told)
forking = agent("forking", compaction=FORKING, summarize=counted)(told)
plain = agent("plain")(told)

failing = agent("failing", compaction=SOFT, summarize=fails)(told)
leaking = agent("leaking", compaction=SOFT, summarize=leaks)(told)
silent = agent("silent", compaction=SOFT, summarize=is_silent)(told)
cancelled = agent("cancelled", compaction=SOFT, summarize=is_cancelled)(told)
textless = agent("textless", compaction=SOFT, summarize=is_no_text)(told)
unsendable = agent("unsendable", compaction=SOFT, summarize=is_unsendable)(told)


@agent("asking", summarize=counted)
async def asking(context: RunContext) -> str:
    """Compacts when its code wants it, in whichever order."""
    given = [await told(context)]
    for keep in (4, 2):
        assert await context.compact(keep_messages=keep)
        given.append(await told(context))
    assert not await context.compact(keep_messages=2)
    return " | ".join(given)
