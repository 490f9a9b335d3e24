"""Compacting the copy that a fork is, before it is written."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from events.compaction import Compaction, CompactionMode, CompactionStatus
from events.ids import AgentId, RunId
from hosting.domain.branch import Branch
from hosting.domain.errors import AgentElsewhere, AgentMissing, ConfigRefused
from hosting.domain.message import Message
from hosting.domain.secret import Secret
from hosting.ports.agents import Agent
from hosting.ports.summaries import Compacting, Summarizing, ToSummarize
from hosting.runtime.compact import NoSummary, checked
from hosting.runtime.compacted import COMPACTED, read_compacted, summary_message
from hosting.runtime.core import Runtime
from middleware.compaction import Wish, compact
from middleware.compaction_choice import Choice
from middleware.compaction_policy import CompactionPolicy
from middleware.compaction_prompt import INSTRUCTIONS
from middleware.errors import CredentialMissing

_log = structlog.get_logger("branchline.fork")

_PATIENCE: Final = timedelta(seconds=60)
"""Somebody waits for the fork."""


async def compacted_copy(
    runtime: Runtime, agent_id: AgentId, source: Branch, messages: Sequence[Message]
) -> Sequence[Message]:
    """Return the messages of a copy as the policy of the agent that it is made for wants them.

    They are as they were when it has no such policy, they are too few, or nobody can summarise them now.
    """
    agent = await _agent(runtime, source, agent_id)
    policy = agent.compaction if isinstance(agent, Compacting) else None
    if agent is None or policy is None or not policy.on_fork:
        return messages
    is_triggered = policy.after_messages is not None or policy.after_tokens is not None
    wish = Wish(policy, CompactionMode.AUTO if is_triggered else CompactionMode.FORCED)
    copy = HistoryOfFork(runtime, agent, source, messages, policy)
    await compact(copy, wish, patience=_PATIENCE)
    return copy.result


async def _agent(runtime: Runtime, source: Branch, agent_id: AgentId) -> Agent | None:
    tenant = source.scope.tenant
    try:
        engaged = await runtime.agents.engage(tenant, agent_id)
        return None if engaged.terms is not None else await runtime.agents.get(tenant, agent_id, engaged.version)
    except (AgentElsewhere, AgentMissing, ConfigRefused):
        return None


class HistoryOfFork:
    """See History: what a fork is going to have; `result` is what comes of it."""

    iteration = 1

    def __init__(
        self, runtime: Runtime, agent: Agent, source: Branch, messages: Sequence[Message], policy: CompactionPolicy
    ) -> None:
        self.result = messages
        self.agent_name = agent.name
        self._runtime = runtime
        self._agent = agent
        self._source = source
        self._instructions = policy.instructions or INSTRUCTIONS
        self._context = ForkContext(RunId(f"fork of {source.scope.branch_id}"))

    def now(self) -> datetime:
        """See History.now."""
        return self._runtime.clock()

    async def outcome(self) -> CompactionStatus | None:
        """See History.outcome; a fork that was cut is made anew."""
        return None

    async def is_begun(self) -> bool:
        """See History.is_begun."""
        return False

    async def messages(self) -> Sequence[Message]:
        """See History.messages; the fork has a copy of what a soft compaction keeps with its source."""
        key, scope = self._source.key, self._source.scope
        kept = await self._runtime.run_reads.state(key, scope, [COMPACTED], of_branch=True)
        compacted = read_compacted(kept.get(COMPACTED))
        return self.result if compacted is None else compacted.seen(self.result)

    async def summarised_at(self) -> datetime | None:
        """See History.summarised_at; nobody is told of it here."""
        return None

    async def begin(self, told: Compaction) -> None:
        """See History.begin."""

    async def summarize(self, piece: Sequence[Message], earlier: str | None) -> str:
        """See History.summarize."""
        if not isinstance(self._agent, Summarizing) or not self._agent.can_summarize:
            raise NoSummary
        wanted = ToSummarize(piece, earlier, self._instructions)
        return checked(await self._agent.summarize(self._context, wanted)).text

    async def perform(self, told: Compaction, choice: Choice[Message]) -> None:
        """See History.perform."""
        if told.summary_content is None:
            self.result = choice.kept
            return
        summary = summary_message(self._runtime.ids.summary(), told.summary_content)
        self.result = (*choice.kept[: choice.place], summary, *choice.kept[choice.place :])

    async def finish(self, told: Compaction) -> None:
        """See History.finish."""
        _log.info("a fork is not compacted", branch=self._source.scope.branch_id, why=told.reason)


class ForkContext:
    """See SummaryContext: a fork is no run, and has no credentials."""

    def __init__(self, run_id: RunId) -> None:
        self.run_id = run_id

    async def credential(self, name: str) -> Secret:
        """See ToolContext.credential."""
        raise CredentialMissing(name)
