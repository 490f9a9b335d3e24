"""The layer that asks whether a tool may be called."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol

from msgspec import Struct

from events.permissions import (
    PermissionApproved,
    PermissionChoice,
    PermissionDenied,
    PermissionRequest,
    PermissionResponse,
)
from middleware.errors import RequestExpired

_SOURCE: Final = "Permission"
DENIED: Final = "The user denied this call."
REMEMBERED: Final = "The user has denied all calls of this tool."
OVERRIDDEN: Final = "This run does not allow calls of this tool."
EXPIRED: Final = "Nobody answered in time whether this call is allowed, so it was not made."


class Verdict(Struct, frozen=True):
    """Whether a call is made, and what its result says when it is not."""

    approved: bool
    told: str = ""


Decision = PermissionApproved | PermissionDenied
Answer = Callable[[], Awaitable[PermissionResponse]]
"""Waits for the user's answer."""

Gate = Callable[[], Awaitable[Verdict]]
"""Waits for the verdict on one call."""


class GatedCall(Protocol):
    """A tool call as this layer sees it; everything it does here is done once, however often the run begins again."""

    @property
    def name(self) -> str:
        """The tool."""
        ...

    @property
    def call_id(self) -> str:
        """The call."""
        ...

    @property
    def description(self) -> str | None:
        """What the tool does, for the user."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it is called with."""
        ...

    @property
    def requires_permission(self) -> bool:
        """Whether the tool says that it must be asked for."""
        ...

    @property
    def permission_override(self) -> bool | None:
        """What the run's own configuration says of the tool."""
        ...

    @property
    def permission_timeout(self) -> timedelta | None:
        """How long the question waits for an answer."""
        ...

    def new_request_id(self) -> str:
        """Return an id for a question."""
        ...

    def verdict(self) -> Verdict | None:
        """Return the verdict, when there was one before the run began again."""
        ...

    async def remembered(self) -> bool | None:
        """Return what the user has said of all calls of the tool in this session."""
        ...

    def ask(self, request: PermissionRequest, *, within: timedelta | None) -> Answer:
        """Ask at once, and return what waits for the answer; that raises RequestExpired."""
        ...

    async def decide(self, verdict: Verdict, event: Decision, *, remember: bool | None = None) -> None:
        """Store the verdict with the event that tells it, and what is to be remembered of the tool."""
        ...


class Permissions:
    """Opens a gate for each call of a batch, in order: all questions are asked before any is waited for."""

    async def open_gate(self, call: GatedCall) -> Gate | None:
        """Return the gate to wait at; None when the call needs no permission."""
        override = call.permission_override
        if override is not False and not call.requires_permission:
            return None
        decided = call.verdict()
        if decided is not None:
            return _opened(decided)
        if override is not None:
            return await self._settled(call, override, "override", OVERRIDDEN)
        remembered = await call.remembered()
        if remembered is not None:
            return await self._settled(call, remembered, "remembered", REMEMBERED)
        request = PermissionRequest(
            permission_id=call.new_request_id(),
            source_name=_SOURCE,
            function_name=call.name,
            description=call.description or f"Call {call.name}; the tool has no description.",
            call_id=call.call_id,
            arguments=dict(call.arguments),
        )
        return self._waiting(call, call.ask(request, within=call.permission_timeout))

    async def _settled(self, call: GatedCall, approved: bool, reason: str, told: str) -> Gate:  # noqa: FBT001
        verdict = Verdict(approved, "" if approved else told)
        await call.decide(verdict, _event(call, call.new_request_id(), approved=approved, reason=reason))
        return _opened(verdict)

    def _waiting(self, call: GatedCall, answer: Answer) -> Gate:
        async def wait() -> Verdict:
            try:
                response = await answer()
            except RequestExpired as expired:
                verdict = Verdict(approved=False, told=EXPIRED)
                await call.decide(verdict, _event(call, expired.request_id, approved=False, reason="expired"))
                return verdict
            approved = response.approved
            verdict = Verdict(approved, "" if approved else response.reason or DENIED)
            event = _event(call, response.permission_id, approved=approved, reason=response.reason)
            lasts = response.choice is not PermissionChoice.ASK
            await call.decide(verdict, event, remember=approved if lasts else None)
            return verdict

        return wait


def _opened(verdict: Verdict) -> Gate:
    async def wait() -> Verdict:
        return verdict

    return wait


def _event(call: GatedCall, permission_id: str, *, approved: bool, reason: str | None) -> Decision:
    kind = PermissionApproved if approved else PermissionDenied
    return kind(
        permission_id=permission_id,
        source_name=_SOURCE,
        function_name=call.name,
        call_id=call.call_id,
        reason=reason,
    )
