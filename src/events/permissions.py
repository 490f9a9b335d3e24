"""Asking whether a tool may be called."""

from typing import Any, ClassVar, Self

import msgspec
from msgspec import field

from events.event import Channel, Envelope, Event
from events.interactions import Request, Response
from events.wire_enum import WireEnum

_DECIDES = Envelope(channel=Channel.INTERACTIVE)


class PermissionChoice(WireEnum):
    """For how long an answer holds: this call, or every later call of the function in the session."""

    ASK = "ask"
    ALLOW_ALWAYS = "allow_always"
    DENY_ALWAYS = "deny_always"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        older = {"AlwaysAllow": "allow_always", "AlwaysDeny": "deny_always", 0: "ask"}
        return super()._missing_(value) or next((cls(new) for old, new in older.items() if old == value), None)


_NUMBERED = (PermissionChoice.ASK, PermissionChoice.ALLOW_ALWAYS, PermissionChoice.DENY_ALWAYS)


class PermissionResponse(Response, frozen=True, kw_only=True):
    """Allows or denies the one call that was asked about."""

    wire_type: ClassVar[str] = "PERMISSION_RESPONSE"
    id_member: ClassVar[str] = "permission_id"

    permission_id: str
    approved: bool
    reason: str | None = None
    """Told to the agent when the call is denied."""
    choice: PermissionChoice | int = field(default_factory=lambda: PermissionChoice.ASK)
    """Whether the answer is remembered; older clients send it as a number."""

    def __post_init__(self) -> None:
        if not isinstance(self.choice, PermissionChoice):
            if not 0 <= self.choice < len(_NUMBERED):
                raise ValueError("`choice` must be ask, allow_always or deny_always")
            msgspec.structs.force_setattr(self, "choice", _NUMBERED[self.choice])

    def contradiction(self) -> str | None:
        """See Response.contradiction."""
        opposite = PermissionChoice.DENY_ALWAYS if self.approved else PermissionChoice.ALLOW_ALWAYS
        if self.choice is not opposite:
            return None
        return f"`approved: {str(self.approved).lower()}` contradicts `choice: {opposite}` - at `$.choice`."


class PermissionRequest(Request, frozen=True, kw_only=True):
    """May this tool be called with exactly these arguments?"""

    wire_type: ClassVar[str] = "PERMISSION_REQUEST"
    id_member: ClassVar[str] = "permission_id"
    answered_by: ClassVar[type[Response]] = PermissionResponse

    permission_id: str
    function_name: str
    description: str | None = None
    call_id: str
    arguments: dict[str, Any] | None = None


class PermissionApproved(Event, frozen=True, kw_only=True):
    """A call may go on."""

    wire_type: ClassVar[str] = "PERMISSION_APPROVED"
    envelope: ClassVar[Envelope] = _DECIDES

    permission_id: str
    """The request's; one of its own when nobody was asked."""
    source_name: str
    function_name: str
    call_id: str
    reason: str | None = None
    """`remembered` when an earlier answer decided, `override` when the input's runConfig did."""


class PermissionDenied(Event, frozen=True, kw_only=True):
    """A call is not made; its result tells the agent why."""

    wire_type: ClassVar[str] = "PERMISSION_DENIED"
    envelope: ClassVar[Envelope] = _DECIDES

    permission_id: str
    """The request's; one of its own when nobody was asked."""
    source_name: str
    function_name: str
    call_id: str
    reason: str | None = None
    """What the user said, `remembered`, `override` or `expired`."""
