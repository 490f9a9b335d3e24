"""Answering by a rule that was given beforehand."""

from events.continuation import ContinuationRequest, ContinuationResponse
from events.interactions import Response
from events.permissions import PermissionRequest, PermissionResponse
from hosting.cli.asking.asked import Asked
from hosting.cli.legible import one_line
from hosting.cli.view import View


class Rule:
    """Allows, or denies, whatever a run asks permission for; questions of other kinds it leaves alone."""

    def __init__(self, view: View, *, approves: bool) -> None:
        self._view = view
        self._approves = approves

    async def answer(self, asked: Asked) -> Response | None:
        """See Means.answer."""
        option, verdict = ("--yes", "Allowed") if self._approves else ("--no", "Denied")
        match asked.request:
            case PermissionRequest() as request:
                self._view.note(asked.nesting.margin + f"{verdict} by {option}: {one_line(request.function_name)}")
                reason = None if self._approves else f"Denied by `branchline send {option}`."
                return PermissionResponse(
                    permission_id=request.permission_id,
                    source_name=request.source_name,
                    approved=self._approves,
                    reason=reason,
                )
            case ContinuationRequest() as request:
                self._view.note(asked.nesting.margin + f"{verdict} by {option}: going on past the limit of iterations")
                return ContinuationResponse(
                    continuation_id=request.continuation_id, source_name=request.source_name, approved=self._approves
                )
        return None
