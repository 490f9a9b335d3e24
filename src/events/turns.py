"""Events that frame a message turn (one run's answer) and the agent turns (model calls) inside it."""

from datetime import timedelta
from typing import ClassVar

from msgspec import Struct

from events.event import Envelope, Event, Kind, written
from events.ids import AgentId, RunId, SessionId

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What model calls cost: in tokens, and in money where the model's price is known."""

    input_tokens: int = written(value=0)
    """All that was read, what came from a cache too."""
    output_tokens: int = written(value=0)
    """All that was written, reasoning too."""
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    """In US dollars; absent when the price of a model is not known."""

    def __add__(self, other: "Usage") -> "Usage":
        costs = [usage.cost_usd for usage in (self, other) if usage.cost_usd is not None]
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cost_usd=sum(costs) if costs else None,
        )


class MessageTurnStarted(Event, frozen=True, kw_only=True):
    """The agent begins to answer, or begins again after a crash (`isResume`)."""

    wire_type: ClassVar[str] = "MESSAGE_TURN_STARTED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    message_turn_id: str
    """The turn; it stays the same when the run begins again, and is the `eventFlowId` of all its events."""
    conversation_id: SessionId
    """The session."""
    runtime_run_id: RunId
    agent_id: AgentId
    agent_name: str
    input_message_count: int
    """How many messages the input brought."""
    is_resume: bool = written(value=False)


class MessageTurnFinished(Event, frozen=True, kw_only=True):
    """The agent has answered."""

    wire_type: ClassVar[str] = "MESSAGE_TURN_FINISHED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    message_turn_id: str
    conversation_id: SessionId
    runtime_run_id: RunId
    agent_id: AgentId
    agent_name: str
    duration: timedelta
    """From the beginning of the turn, after a crash from its last one."""
    usage: Usage | None = None
    iteration: int
    """How many model calls the turn had."""
    termination_reason: str | None = None
    """Why the turn ended, where it was not by itself: `interrupted`, `given_up` when nobody waited any more for nested
    work, or a word of the layer that stopped it."""


class MessageTurnError(Event, frozen=True, kw_only=True):
    """The turn failed; `message` is fit for a person to read and holds no secret, path or stack."""

    wire_type: ClassVar[str] = "MESSAGE_TURN_ERROR"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    message: str
    message_turn_id: str | None = None
    runtime_run_id: RunId | None = None
    agent_id: AgentId | None = None
    agent_name: str | None = None
    error_type: str | None = None
    """What failed, in a word for programs."""
    category: str | None = None
    """What went wrong with a model, in a word for programs: `connection`, `timeout`, `rate_limit`, `quota`,
    `overloaded`, `server_error`, `garbled`, `unavailable` (it was not asked, since its last calls failed),
    `authentication`, `model_not_found`, `context_length`, `rejected`, `content_filter`, `too_long`, `tries` or
    `limit`."""
    is_model_not_found: bool = written(value=False)
    is_retryable: bool = written(value=False)
    """Whether sending the same input again may help."""


class AgentTurnStarted(Event, frozen=True, kw_only=True):
    """A model call begins; `iteration` counts from 1 within the turn."""

    wire_type: ClassVar[str] = "AGENT_TURN_STARTED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    iteration: int


class AgentTurnFinished(Event, frozen=True, kw_only=True):
    """A model call has ended."""

    wire_type: ClassVar[str] = "AGENT_TURN_FINISHED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    iteration: int
    termination_reason: str | None = None
    """Why it ended, where it was not by itself; as MESSAGE_TURN_FINISHED has it."""
