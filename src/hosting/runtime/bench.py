"""What one turn works with: its hand, its questions, and what the run allows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from hosting.domain.run_config import RunConfig
from hosting.ports.agents import Limits
from hosting.ports.summaries import Summarizing
from hosting.runtime.core import Runtime
from hosting.runtime.hand import Hand
from hosting.runtime.questions import Questions
from hosting.runtime.steps import Steps
from hosting.runtime.unfinished import Unfinished
from hosting.runtime.wakes import Inbox
from middleware.budget import Budget
from middleware.client_tools.state import ClientToolState
from middleware.compaction_policy import CompactionPolicy


@dataclass(slots=True)
class ClientTools:
    """The client's tools as the run knows them; None until somebody asked for them."""

    state: ClientToolState | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """The things of one turn.

    `inbox` has the run's interrupts; `before` is what a turn of this flow had left unfinished when the run was cut.
    `project` is the agent's: its credentials hold here.
    `summarizer` can tell what was said before in fewer words, and `policy` says how that is compacted.
    `nest` lets an agent work inside of a step and returns the last that it said.
    """

    runtime: Runtime
    hand: Hand
    questions: Questions
    config: RunConfig
    limits: Limits
    inbox: Inbox
    before: dict[str, Unfinished]
    client_tools: ClientTools
    nest: "Nest"
    project: str | None = None
    summarizer: Summarizing | None = None
    policy: CompactionPolicy = field(default_factory=CompactionPolicy)
    budget: Budget = field(default_factory=Budget)

    async def state(self, name: str, *, of_branch: bool) -> bytes | None:
        """Return what layers keep under a name with the branch, or with its session."""
        return (await self.states([name], of_branch=of_branch)).get(name)

    async def states(self, names: Sequence[str], *, of_branch: bool) -> dict[str, bytes]:
        """Return what layers keep under several names; those under which nothing is kept are left out."""
        await self.hand.settle_read()
        run = self.hand.lease.run
        return await self.runtime.run_reads.state(run.branch_key, run.scope, names, of_branch=of_branch)


Nest = Callable[[Bench, Steps, str, str], Awaitable[str]]
