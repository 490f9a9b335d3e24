"""The doors of agents whose histories can be compacted, and of whoever summarises for them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from events.ids import RunId
from events.turns import Usage
from hosting.domain.message import Message
from hosting.domain.secret import Secret
from middleware.compaction_policy import CompactionPolicy
from middleware.compaction_prompt import INSTRUCTIONS, prompt


@dataclass(frozen=True, slots=True)
class ToSummarize:
    """Messages that are to be summarised, with what came before them, summarised already."""

    messages: Sequence[Message]
    earlier: str | None = None
    instructions: str = INSTRUCTIONS

    @property
    def text(self) -> str:
        """All of it as text, for a model to read."""
        return prompt(self.messages, self.earlier)


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary, and what it has cost."""

    text: str
    usage: Usage | None = None


Summarize = Callable[[ToSummarize], Awaitable[str]]
"""Returns a summary of messages that takes the place of an earlier one, too."""


class SummaryContext(Protocol):
    """What whoever summarises has at hand."""

    @property
    def run_id(self) -> RunId:
        """For which run it is done; a fork has a name of its own here."""
        ...

    async def credential(self, name: str) -> Secret:
        """See ToolContext.credential."""
        ...


@runtime_checkable
class Compacting(Protocol):
    """An agent that says when its histories are compacted; None: when an input or the agent itself asks for it."""

    compaction: CompactionPolicy | None


@runtime_checkable
class Summarizing(Protocol):
    """An agent that can summarise."""

    @property
    def can_summarize(self) -> bool:
        """Whether it has what it takes."""
        ...

    async def summarize(self, context: SummaryContext, wanted: ToSummarize) -> Summary:
        """Return a summary; whatever it raises is told, and nothing is compacted."""
        ...
