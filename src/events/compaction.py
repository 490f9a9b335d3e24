"""Events that tell of older messages giving way to a summary: of what the model sees, or of the branch itself."""

from datetime import datetime, timedelta
from typing import ClassVar

from msgspec import Struct

from events.branches import Content
from events.event import Envelope, Event, Kind
from events.ids import MessageId
from events.text import Role
from events.wire_enum import WireEnum

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class CompactionStatus(WireEnum):
    """How far a compaction has come, or that an earlier one still holds."""

    STARTED = "started"
    SKIPPED = "skipped"
    CACHE_HIT = "cache_hit"
    PERFORMED = "performed"


class CompactionMode(WireEnum):
    """Why it is done: the history has reached the size at which it is, or somebody wants it now."""

    AUTO = "auto"
    FORCED = "forced"


class CompactionStrategy(WireEnum):
    """What becomes of the older messages: a summary takes their place, or nothing does."""

    SUMMARY = "summary"
    WINDOW = "window"


class Retention(WireEnum):
    """What it changes: only what the agent is given (soft), or the branch's messages too (hard)."""

    SOFT = "soft"
    HARD = "hard"


class CompactionBehavior(WireEnum):
    """What the run does with it: it goes on."""

    CONTINUE = "continue"


class CompactionBoundary(WireEnum):
    """What the first message that is kept is: a user's, or any other."""

    TURN = "turn"
    MESSAGE = "message"


class Compaction(Event, frozen=True, kw_only=True):
    """A history is being compacted, was, could not be, or is given as an earlier compaction has left it."""

    wire_type: ClassVar[str] = "COMPACTION"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    agent_name: str
    iteration: int
    """The model call that comes next, from 1."""
    status: CompactionStatus
    strategy: CompactionStrategy
    original_message_count: int | None = None
    """How many messages the agent would have been given of what was said before."""
    compacted_message_count: int | None = None
    """How many it is given instead."""
    messages_removed: int | None = None
    """How many messages gave way."""
    summary_content: str | None = None
    summary_length: int | None = None
    """In characters."""
    cache_age: timedelta | None = None
    """How long ago the summary was made that still holds."""
    duration: timedelta
    reason: str | None = None
    """Why nothing was compacted: `insufficient_history`, `summary_empty`, `timeout`, or what failed in a sentence."""
    mode: CompactionMode
    behavior: CompactionBehavior
    retention: Retention


class ReplacementMessage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that stands where others were; the id of a summary begins with `sum_`."""

    message_id: MessageId
    role: Role
    contents: tuple[Content, ...]


class BranchHistoryCompacted(Event, frozen=True, kw_only=True):
    """Messages are no part of the branch any more; their events stay in the log, and none of them can be forked at."""

    wire_type: ClassVar[str] = "BRANCH_HISTORY_COMPACTED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    compaction_id: str
    model_compacted_message_ids: tuple[MessageId, ...]
    """The messages that agents are not given any more, in order."""
    durable_compacted_message_ids: tuple[MessageId, ...]
    """The messages that the branch does not have any more, in order."""
    replacement_messages: tuple[ReplacementMessage, ...]
    """What stands where the first of them stood."""
    strategy_kind: CompactionStrategy
    retention_kind: Retention
    boundary_kind: CompactionBoundary
    summary_content: str | None = None
    compacted_at: datetime
