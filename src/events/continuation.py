"""Asking whether a run may go on past its limit of model calls."""

from typing import ClassVar

from events.event import written
from events.interactions import Request, Response


class ContinuationResponse(Response, frozen=True, kw_only=True):
    """Lets the run go on, for so many more iterations, or end."""

    wire_type: ClassVar[str] = "CONTINUATION_RESPONSE"
    id_member: ClassVar[str] = "continuation_id"

    continuation_id: str
    approved: bool
    extension_amount: int = written(value=0)
    """How many more iterations; 0 and less leave it to the agent."""


class ContinuationRequest(Request, frozen=True, kw_only=True):
    """The agent has used up its iterations; may it go on?"""

    wire_type: ClassVar[str] = "CONTINUATION_REQUEST"
    id_member: ClassVar[str] = "continuation_id"
    answered_by: ClassVar[type[Response]] = ContinuationResponse

    continuation_id: str
    current_iteration: int
    """The iteration that would come next, from 1."""
    max_iterations: int
    """The limit as it is now, extensions included."""
