"""What a run asks and what answers it: the shape that every request and response has."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from events.event import Channel, Direction, Envelope, Event, Kind

ASKS = Envelope(channel=Channel.INTERACTIVE)
ANSWERS = Envelope(channel=Channel.INTERACTIVE, direction=Direction.UPSTREAM)
_SETTLES = Envelope(channel=Channel.INTERACTIVE, kind=Kind.LIFECYCLE)


class ResponseOutcome(StrEnum):
    """What became of a response; every one but `accepted` says why it was not taken."""

    ACCEPTED = "accepted"
    NOT_FOUND = "not-found"
    ALREADY_RESOLVED = "already-resolved"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    TYPE_MISMATCH = "type-mismatch"


class Response(Event, frozen=True, kw_only=True):
    """An answer; `id_member` is the member that names the request.

    A custom one is a subclass with the members `request_id` and whatever the answer is made of.
    """

    envelope: ClassVar[Envelope] = ANSWERS
    id_member: ClassVar[str] = "request_id"

    source_name: str | None = None
    """Who asked, as the request said it; not looked at."""

    @property
    def request_key(self) -> str:
        """The id of the request that this answers."""
        key: str = getattr(self, self.id_member)
        return key

    def contradiction(self) -> str | None:
        """Return what is wrong with the answer in itself, as a sentence; None when nothing is."""
        return None


class Request(Event, frozen=True, kw_only=True):
    """A question; `id_member` is the member that names it, `answered_by` the class of what settles it.

    A custom one is a subclass with the member `request_id` and whatever the question is made of.
    """

    envelope: ClassVar[Envelope] = ASKS
    id_member: ClassVar[str] = "request_id"
    answered_by: ClassVar[type[Response]]

    source_name: str
    """Who asks."""
    expires_at: datetime | None = None
    """When the question is given up."""

    @property
    def request_key(self) -> str:
        """The id that an answer names."""
        key: str = getattr(self, self.id_member)
        return key


class AgentRequestExpired(Event, frozen=True, kw_only=True):
    """Nobody answered a request in time; the run goes on without an answer."""

    wire_type: ClassVar[str] = "AGENT_REQUEST_EXPIRED"
    envelope: ClassVar[Envelope] = _SETTLES

    request_id: str
    source_name: str
    request_event_type: str
    expired_at: datetime


class AgentRequestCancelled(Event, frozen=True, kw_only=True):
    """A request is not asked any more, since its run or the work inside it was ended."""

    wire_type: ClassVar[str] = "AGENT_REQUEST_CANCELLED"
    envelope: ClassVar[Envelope] = _SETTLES

    request_id: str
    source_name: str
    request_event_type: str
    reason: str | None = None
    cancelled_at: datetime


class AgentResponseRejected(Event, frozen=True, kw_only=True):
    """A response that came by WebSocket was not taken; sent to that connection alone and never in the log."""

    wire_type: ClassVar[str] = "AGENT_RESPONSE_REJECTED"
    envelope: ClassVar[Envelope] = Envelope(channel=Channel.CONTROL, kind=Kind.CONTROL)

    request_id: str
    response_event_type: str
    outcome: ResponseOutcome
    rejected_at: datetime
