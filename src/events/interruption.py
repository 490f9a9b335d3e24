"""Ending a run, or a part of it, from outside."""

from typing import ClassVar

from msgspec import Struct

from events.event import Channel, Envelope, Event, Kind
from events.ids import AgentId, BranchId, SessionId
from events.wire_enum import WireEnum


class InterruptionSource(WireEnum):
    """Who wants the end."""

    USER = "user"
    SYSTEM = "system"
    PARENT = "parent"
    MIDDLEWARE = "middleware"


class InterruptionRequest(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What a client sends to end the active run, or one event flow inside it."""

    wire_type: ClassVar[str] = "INTERRUPTION_REQUEST"

    agent_id: AgentId | None = None
    session_id: SessionId | None = None
    branch_id: BranchId | None = None
    client_input_id: str | None = None
    reason: str | None = None
    event_flow_id: str | None = None
    """The turn that is to end: the active one's, or one inside it; any other is a conflict."""


class InterruptionHandled(Event, frozen=True, kw_only=True):
    """The run, or the part of it that has this event flow, ends now; what it had open is closed next."""

    wire_type: ClassVar[str] = "INTERRUPTION_HANDLED"
    envelope: ClassVar[Envelope] = Envelope(channel=Channel.CONTROL, kind=Kind.CONTROL, can_interrupt=False)

    reason: str
    source: InterruptionSource
