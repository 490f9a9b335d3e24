"""The layer that compacts what was said before a turn, so that its model calls are given less to read."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol

import structlog
from msgspec.structs import replace

from events.branches import TextContent
from events.compaction import (
    Compaction,
    CompactionBehavior,
    CompactionMode,
    CompactionStatus,
    CompactionStrategy,
    Retention,
)
from events.ids import is_summary
from middleware.compaction_choice import Choice, M, choose, is_due
from middleware.compaction_policy import CompactionPolicy
from middleware.compaction_prompt import SUMMARY_BEGINS, pieces
from middleware.errors import AgentError, RunBroken, Withdrawn

_log = structlog.get_logger("branchline.compaction")

_LARGE: Final = 500
_PATIENCE: Final = timedelta(minutes=10)
_LONGEST_REASON: Final = 500
INSUFFICIENT: Final = "insufficient_history"
EMPTY: Final = "summary_empty"
LATE: Final = "timeout"
FAILED: Final = "The summary could not be made."


@dataclass(frozen=True, slots=True)
class Wish:
    """That a history be compacted: by what policy, and whether at any size."""

    policy: CompactionPolicy
    mode: CompactionMode


class History(Protocol[M]):
    """What was said before a turn, as its agent is given it, and what can be done about it.

    What was begun, summarised and finished before a crash is not told, asked or done again.
    """

    @property
    def agent_name(self) -> str:
        """Who answers in the turn."""
        ...

    @property
    def iteration(self) -> int:
        """The model call that comes next, from 1."""
        ...

    def now(self) -> datetime:
        """Return the time."""
        ...

    async def outcome(self) -> CompactionStatus | None:
        """Return what this compaction has come to, if it was finished before a crash."""
        ...

    async def is_begun(self) -> bool:
        """Say whether it was begun before a crash."""
        ...

    async def messages(self) -> Sequence[M]:
        """Return the messages, an earlier summary among them."""
        ...

    async def summarised_at(self) -> datetime | None:
        """Return when the summary was made that the agent is given in place of messages which the branch has."""
        ...

    async def begin(self, told: Compaction) -> None:
        """Tell that it begins."""
        ...

    async def summarize(self, piece: Sequence[M], earlier: str | None) -> str:
        """Return a summary of a piece, and of what came before it."""
        ...

    async def perform(self, told: Compaction, choice: Choice[M]) -> None:
        """Let what was chosen give way, and tell so."""
        ...

    async def finish(self, told: Compaction) -> None:
        """Tell that nothing gives way."""
        ...


async def compact(history: History[M], wish: Wish, *, patience: timedelta = _PATIENCE) -> CompactionStatus | None:
    """Compact a history if the wish is for now, and return what came of it; None when it is not.

    A summary that cannot be made, or not within `patience`, is no failure of the run: that goes on with the history as
    it was.
    """
    outcome = await history.outcome()
    if outcome is not None:
        return outcome
    messages = await history.messages()
    if not (wish.mode is CompactionMode.FORCED or await history.is_begun() or await _is_due(messages, wish.policy)):
        return await _tell_cached(history, wish, messages)
    return await _Work(history, wish, history.now(), patience).do(messages)


@dataclass(frozen=True, slots=True)
class _Work(Generic[M]):
    """One compaction."""

    history: History[M]
    wish: Wish
    began: datetime
    patience: timedelta

    async def do(self, messages: Sequence[M]) -> CompactionStatus:
        keep = self.wish.policy.keep_messages
        choice = await _off_loop(messages, keep)
        told = replace(self._told(CompactionStatus.STARTED), original_message_count=len(messages))
        if choice is None:
            return await self._skip(told, INSUFFICIENT)
        await self.history.begin(told)
        try:
            summary = await self._summary(choice)
        except (Withdrawn, RunBroken):
            raise
        except TimeoutError:
            return await self._skip(told, LATE)
        except Exception as error:  # noqa: BLE001 - a summary is the server's wish; the user's run goes on without it
            return await self._skip(told, _reason(error, self.history.agent_name))
        if summary is not None and not summary.strip():
            return await self._skip(told, EMPTY)
        performed = replace(
            told,
            status=CompactionStatus.PERFORMED,
            compacted_message_count=len(choice.kept) + (summary is not None),
            messages_removed=len(choice.older),
            summary_content=summary,
            summary_length=None if summary is None else len(summary),
            duration=self.history.now() - self.began,
        )
        await self.history.perform(performed, choice)
        return CompactionStatus.PERFORMED

    async def _summary(self, choice: Choice[M]) -> str | None:
        """Summarise what gives way, piece by piece: all of it may be more than a model can read."""
        if self.wish.policy.strategy is CompactionStrategy.WINDOW:
            return None
        said = [message for message in choice.older if not is_summary(message.id)]
        earlier = [message for message in choice.older if is_summary(message.id)]
        summary = "\n\n".join(_text(message) for message in earlier) or None
        async with asyncio.timeout(self.patience.total_seconds()):
            for piece in pieces(said):
                summary = await self.history.summarize(piece, summary)
        return summary or ""

    async def _skip(self, told: Compaction, reason: str) -> CompactionStatus:
        duration = self.history.now() - self.began
        await self.history.finish(replace(told, status=CompactionStatus.SKIPPED, reason=reason, duration=duration))
        return CompactionStatus.SKIPPED

    def _told(self, status: CompactionStatus) -> Compaction:
        return told_of(self.history, self.wish, status)


def told_of(history: History[M], wish: Wish, status: CompactionStatus) -> Compaction:
    """Return what every event of a compaction says."""
    return Compaction(
        agent_name=history.agent_name,
        iteration=history.iteration,
        status=status,
        strategy=wish.policy.strategy,
        duration=timedelta(),
        mode=wish.mode,
        behavior=CompactionBehavior.CONTINUE,
        retention=wish.policy.retention,
    )


def _reason(error: Exception, agent: str) -> str:
    """Return what may be told of a failure; the text of any that is not meant for people stays in the server's log."""
    if isinstance(error, AgentError):
        return str(error)[:_LONGEST_REASON]
    _log.error("a summary could not be made", agent=agent, exc_info=error)
    return FAILED


async def _tell_cached(history: History[M], wish: Wish, messages: Sequence[M]) -> CompactionStatus | None:
    """Tell that an earlier summary still holds, if there is one that only this agent is given."""
    summarised = await history.summarised_at()
    if summarised is None:
        return None
    told = replace(
        told_of(history, wish, CompactionStatus.CACHE_HIT),
        compacted_message_count=len(messages),
        cache_age=history.now() - summarised,
        retention=Retention.SOFT,
    )
    await history.finish(told)
    return CompactionStatus.CACHE_HIT


async def _is_due(messages: Sequence[M], policy: CompactionPolicy) -> bool:
    if len(messages) > _LARGE:
        return await asyncio.to_thread(is_due, messages, policy)
    return is_due(messages, policy)


async def _off_loop(messages: Sequence[M], keep: int) -> Choice[M] | None:
    if len(messages) > _LARGE:
        return await asyncio.to_thread(choose, messages, keep)
    return choose(messages, keep)


def _text(message: M) -> str:
    text = "".join(content.text for content in message.contents if isinstance(content, TextContent))
    return text.removeprefix(SUMMARY_BEGINS)
