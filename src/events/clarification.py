"""Asking the user something."""

from typing import ClassVar

from events.interactions import Request, Response


class ClarificationResponse(Response, frozen=True, kw_only=True):
    """The user's answer, free text also where options were given."""

    wire_type: ClassVar[str] = "CLARIFICATION_RESPONSE"

    request_id: str
    question: str | None = None
    answer: str


class ClarificationRequest(Request, frozen=True, kw_only=True):
    """A question to the user."""

    wire_type: ClassVar[str] = "CLARIFICATION_REQUEST"
    answered_by: ClassVar[type[Response]] = ClarificationResponse

    request_id: str
    question: str
    agent_name: str | None = None
    options: tuple[str, ...] | None = None
