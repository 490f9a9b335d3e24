"""Compacting what was said before a run, as a step of it: told, paid for and done once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Final

import msgspec

from events.branches import BranchMiddlewareStateCommitted
from events.compaction import (
    BranchHistoryCompacted,
    Compaction,
    CompactionMode,
    CompactionStatus,
    Retention,
)
from hosting.domain.compaction_options import RunCompactionMode
from hosting.domain.message import Message
from hosting.domain.run_config import RunConfig
from hosting.domain.step import StepKey, StepKind
from hosting.ports.agents import Agent
from hosting.ports.history import CompactHistory
from hosting.ports.summaries import Compacting, Summary, SummaryContext, ToSummarize
from hosting.ports.units import BeginStep, FinishStep, KeepState
from hosting.runtime.bench import Bench
from hosting.runtime.compacted import COMPACTED, Compacted, read_compacted, told_message
from hosting.runtime.steps import Steps
from hosting.runtime.work_context import WorkContext
from middleware.compaction import Wish, compact
from middleware.compaction_choice import Choice, given_way
from middleware.compaction_policy import CompactionPolicy
from middleware.compaction_prompt import INSTRUCTIONS
from middleware.errors import AgentError

_NAME: Final = "compact"
_LONGEST_SUMMARY: Final = 200_000


class NoSummary(AgentError):
    """Nobody can summarise."""

    def __init__(self) -> None:
        super().__init__("The agent has nothing that summarises.")


def policy_of(agent: Agent, config: RunConfig) -> CompactionPolicy:
    """Return how a run compacts: as its agent does, but for what its input says."""
    own = (agent.compaction if isinstance(agent, Compacting) else None) or CompactionPolicy()
    return own if config.compaction is None else config.compaction.over(own)


def wish_of(agent: Agent, config: RunConfig) -> Wish | None:
    """Return what a run wishes of its history, by its agent and by its input; None when it stays as it is."""
    said, policy = config.compaction, policy_of(agent, config)
    if config.skip_compaction or (said is not None and said.mode is RunCompactionMode.OFF):
        return None
    if config.trigger_compaction or (said is not None and said.mode is RunCompactionMode.FORCED):
        return Wish(policy, CompactionMode.FORCED)
    is_triggered = policy.after_messages is not None or policy.after_tokens is not None
    return Wish(policy, CompactionMode.AUTO) if is_triggered else None


async def compact_before_turn(
    bench: Bench, steps: Steps, context: SummaryContext, iteration: int, wish: Wish
) -> CompactionStatus | None:
    """Compact what was said before the run's input, if it is to be."""
    # Not counted: an agent that is given a policy, or has it taken, goes on with the runs that it has begun.
    key = steps.uncounted_key(StepKind.COMPACTION, _NAME)
    return await compact(HistoryOfRun(bench, steps, key, context=context, iteration=iteration, wish=wish), wish)


async def compact_now(bench: Bench, steps: Steps, context: SummaryContext, iteration: int, wish: Wish) -> bool:
    """Compact what was said before the run's input, as a step that the agent wants; say whether anything gave way."""
    key = steps.next_key(StepKind.COMPACTION, _NAME, None)
    history = HistoryOfRun(bench, steps, key, context=context, iteration=iteration, wish=wish)
    return await compact(history, wish) is CompactionStatus.PERFORMED


class HistoryOfRun:
    """See History: what the branch has from before the run that holds it."""

    def __init__(
        self, bench: Bench, steps: Steps, key: StepKey, *, context: SummaryContext, iteration: int, wish: Wish
    ) -> None:
        self._bench = bench
        self._context = context
        self._wish = wish
        self._key = key
        self._work = WorkContext(bench, steps.inside(self._key))
        self._logged = steps.logged(self._key)
        self._is_begun = self._logged is not None
        # What comes behind was begun: this was looked at before a crash, and left as it was.
        self._is_passed = self._logged is None and steps.is_begun()
        self._before: list[Message] = []
        self._compacted: Compacted | None = None
        self.iteration = iteration

    @property
    def agent_name(self) -> str:
        """See History.agent_name."""
        return self._bench.hand.turn.agent_name

    def now(self) -> datetime:
        """See History.now."""
        return self._bench.runtime.clock()

    async def outcome(self) -> CompactionStatus | None:
        """See History.outcome."""
        if self._is_passed:
            return CompactionStatus.SKIPPED
        result = None if self._logged is None else self._logged.result
        return None if result is None else msgspec.json.decode(result, type=CompactionStatus)

    async def is_begun(self) -> bool:
        """See History.is_begun."""
        return self._is_begun

    async def messages(self) -> Sequence[Message]:
        """See History.messages."""
        run = self._bench.hand.lease.run
        await self._bench.hand.settle_read()
        told = await self._bench.runtime.run_reads.messages(run.branch_key)
        self._before = list(takewhile(lambda message: message.run_id != run.id, told))
        compacted = read_compacted(await self._bench.state(COMPACTED, of_branch=True))
        self._compacted = compacted if compacted is not None and compacted.holds(self._before) else None
        return self._before if self._compacted is None else self._compacted.seen(self._before)

    async def summarised_at(self) -> datetime | None:
        """See History.summarised_at."""
        return None if self._compacted is None else self._compacted.at

    async def begin(self, told: Compaction) -> None:
        """See History.begin."""
        if not self._is_begun:
            self._is_begun = True
            self._bench.hand.put(told, BeginStep(self._bench.hand.lease.run.id, self._key))
            await self._bench.hand.settle()

    async def summarize(self, piece: Sequence[Message], earlier: str | None) -> str:
        """See History.summarize."""
        summarizer = self._bench.summarizer
        if summarizer is None or not summarizer.can_summarize:
            raise NoSummary
        wanted = ToSummarize(piece, earlier, self._wish.policy.instructions or INSTRUCTIONS)

        async def ask() -> Summary:
            try:
                return checked(await summarizer.summarize(self._context, wanted))
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Something in it was cancelled, and not the run.
                raise RuntimeError("The summary was cancelled from inside.") from error

        done = await self._work.step("summarize", ask, arguments=[message.id for message in piece])
        summary = msgspec.convert(done, Summary)
        self._bench.hand.spend(summary.usage)
        return summary.text

    async def perform(self, told: Compaction, choice: Choice[Message]) -> None:
        """See History.perform."""
        through = choice.older[-1].id
        summary_id = None if told.summary_content is None else self._bench.runtime.ids.summary()
        now = self.now()
        compacted = Compacted(through=through, at=now, summary_id=summary_id, summary=told.summary_content)
        # Nothing is waited for in between: all of it is one unit.
        self._bench.hand.put(told)
        if self._wish.policy.retention is Retention.SOFT:
            self._keep(compacted.encoded())
        else:
            self._remove(compacted, choice)
            if self._compacted is not None:
                self._keep(None)
        await self._finish(told.status)

    async def finish(self, told: Compaction) -> None:
        """See History.finish."""
        self._bench.hand.put(told)
        await self._finish(told.status)

    async def _finish(self, status: CompactionStatus) -> None:
        run_id = self._bench.hand.lease.run.id
        begun = () if self._is_begun else (BeginStep(run_id, self._key),)
        self._bench.hand.record(*begun, FinishStep(run_id, self._key.place, msgspec.json.encode(status)))
        await self._bench.hand.settle()

    def _keep(self, value: bytes | None) -> None:
        run = self._bench.hand.lease.run
        told = BranchMiddlewareStateCommitted(state={COMPACTED: "null" if value is None else value.decode()})
        self._bench.hand.put(told, KeepState(run.scope, of_branch=True, name=COMPACTED, value=value))

    def _remove(self, compacted: Compacted, choice: Choice[Message]) -> None:
        removed = tuple(message.id for message in given_way(self._before, compacted.through))
        by = compacted.stand_in
        self._bench.hand.put(
            BranchHistoryCompacted(
                compaction_id=self._bench.runtime.ids.compaction(),
                model_compacted_message_ids=removed,
                durable_compacted_message_ids=removed,
                replacement_messages=() if by is None else (told_message(by),),
                strategy_kind=self._wish.policy.strategy,
                retention_kind=Retention.HARD,
                boundary_kind=choice.boundary,
                summary_content=compacted.summary,
                compacted_at=compacted.at,
            ),
            CompactHistory(removed, by),
        )


def checked(summary: Summary) -> Summary:
    """Return a summary that can be kept.

    Raises:
        TypeError: it is no text.
        ValueError: it is too long to be one.
    """
    if not isinstance(summary.text, str):
        raise TypeError(f"A summary is a text, not {type(summary.text).__name__}.")
    if len(summary.text) > _LONGEST_SUMMARY:
        raise ValueError("A summary is shorter than what it summarises.")
    return summary
