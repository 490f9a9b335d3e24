"""What definitions and inputs say of compaction."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from events.compaction import CompactionStrategy, Retention
from events.wire_enum import WireEnum
from middleware.compaction_policy import MOST_MESSAGES, MOST_TOKENS, CompactionPolicy

_FEWEST: Final = 3
"""One that gave way, the summary in its place, and the next that would."""
_MOST_KEPT: Final = MOST_MESSAGES - 2
"""With what `over` puts on top of it, where it does not fit under a trigger."""


class RunCompactionMode(WireEnum):
    """Whether one run compacts: when a trigger says so, now, or not."""

    AUTO = "auto"
    FORCED = "forced"
    OFF = "off"


class CompactionTrigger(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """The size of what was said before, in messages or about so many tokens, beyond which it is compacted."""

    messages: Annotated[int, Meta(ge=_FEWEST, le=MOST_MESSAGES)] | None = None
    tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None


class CompactionOptions(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """How a history is compacted; what is left out is as whoever answers has it."""

    strategy: CompactionStrategy | None = None
    trigger: CompactionTrigger | None = None
    keep_messages: Annotated[int, Meta(ge=1, le=_MOST_KEPT)] | None = None
    retention: Retention | None = None

    @property
    def contradicts_itself(self) -> bool:
        """Whether more messages are to be kept than there may be."""
        most = None if self.trigger is None else self.trigger.messages
        return most is not None and self.keep_messages is not None and self.keep_messages + 1 >= most

    def over(self, policy: CompactionPolicy) -> CompactionPolicy:
        """Return a policy with what is said here in place of its own words; where they do not fit, this holds."""
        trigger = self.trigger or CompactionTrigger(messages=policy.after_messages, tokens=policy.after_tokens)
        keep, most = self.keep_messages or policy.keep_messages, trigger.messages
        if most is not None and keep + 1 >= most:
            keep, most = (min(keep, most - 2), most) if self.keep_messages is None else (keep, keep + 2)
        return CompactionPolicy(
            after_messages=most,
            after_tokens=trigger.tokens,
            keep_messages=keep,
            strategy=self.strategy or policy.strategy,
            retention=self.retention or policy.retention,
            on_fork=policy.on_fork,
            instructions=policy.instructions,
        )


class RunCompaction(
    CompactionOptions, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """What one run says of it."""

    mode: RunCompactionMode = RunCompactionMode.AUTO
