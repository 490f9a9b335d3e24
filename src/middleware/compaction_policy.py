"""When a history is compacted, and how."""

from dataclasses import dataclass
from typing import Final

from events.compaction import CompactionStrategy, Retention

KEPT_MESSAGES: Final = 10
MOST_MESSAGES: Final = 1_000_000
MOST_TOKENS: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class CompactionPolicy:
    """When what was said before is compacted, and how; without a trigger only when an input or the agent asks for it.

    It is done before a turn that would be given more than `after_messages`, or more than about `after_tokens`, of
    earlier messages. The last `keep_messages` stay, and what the system says. With `on_fork` the copy is compacted,
    too, when a branch is forked. `instructions` are what a summary is to look after, in place of the usual words.

    Raises:
        ValueError: it could never be done, or would be done anew with each run.
    """

    after_messages: int | None = None
    after_tokens: int | None = None
    keep_messages: int = KEPT_MESSAGES
    strategy: CompactionStrategy = CompactionStrategy.SUMMARY
    retention: Retention = Retention.SOFT
    on_fork: bool = False
    instructions: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.keep_messages <= MOST_MESSAGES:
            raise ValueError(f"`keep_messages` must be 1 to {MOST_MESSAGES}.")
        if self.after_messages is not None and not self.keep_messages + 1 < self.after_messages <= MOST_MESSAGES:
            raise ValueError("`after_messages` must be larger than `keep_messages` and the summary together.")
        if self.after_tokens is not None and not 1 <= self.after_tokens <= MOST_TOKENS:
            raise ValueError(f"`after_tokens` must be 1 to {MOST_TOKENS}.")
