"""Agents that compact, each in its way; what is asked for a summary leaves a mark in the server's folder."""

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


HARD = CompactionPolicy(after_messages=6, keep_messages=2, retention=Retention.HARD)
SOFT = CompactionPolicy(after_messages=6, keep_messages=2)


@agent("hard", compaction=HARD, summarize=counted)
async def hard(context: RunContext) -> str:
    """Compacts the branch."""
    return await told(context)


@agent("soft", compaction=SOFT, summarize=counted)
async def soft(context: RunContext) -> str:
    """Compacts what it is given."""
    return await told(context)


@agent("sparing", compaction=CompactionPolicy(after_tokens=50, keep_messages=2, strategy=CompactionStrategy.WINDOW))
async def sparing(context: RunContext) -> str:
    """Leaves out what is too much to read."""
    return await told(context)


@agent("forking", compaction=CompactionPolicy(keep_messages=2, on_fork=True), summarize=counted)
async def forking(context: RunContext) -> str:
    """Has copies compacted."""
    return await told(context)


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


async def is_unsendable(wanted: ToSummarize) -> str:
    """Return half of a surrogate pair."""
    return "\ud800"


@agent("failing", compaction=SOFT, summarize=fails)
async def failing(context: RunContext) -> str:
    """Cannot summarise, and says why."""
    return await told(context)


@agent("leaking", compaction=SOFT, summarize=leaks)
async def leaking(context: RunContext) -> str:
    """Cannot summarise, for a reason that is private."""
    return await told(context)


@agent("silent", compaction=SOFT, summarize=is_silent)
async def silent(context: RunContext) -> str:
    """Summarises to nothing."""
    return await told(context)


@agent("textless", compaction=SOFT, summarize=is_no_text)
async def textless(context: RunContext) -> str:
    """Summarises to what is no text."""
    return await told(context)


@agent("unsendable", compaction=SOFT, summarize=is_unsendable)
async def unsendable(context: RunContext) -> str:
    """Summarises to what cannot be sent."""
    return await told(context)


@agent("plain")
async def plain(context: RunContext) -> str:
    """Has nothing that summarises."""
    return await told(context)


@agent("asking", summarize=counted)
async def asking(context: RunContext) -> str:
    """Compacts when its code wants it, in whichever order."""
    given = [await told(context)]
    for keep in (4, 2):
        assert await context.compact(keep_messages=keep)
        given.append(await told(context))
    assert not await context.compact(keep_messages=2)
    return " | ".join(given)
