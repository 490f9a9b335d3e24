"""Layers around a turn, a model call and a tool call, the first one outermost."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from events.event import Event
from events.tools import ToolResult

T = TypeVar("T")

Work = Callable[[], Awaitable[T]]
"""What is wrapped."""

Around = Callable[[Work[T]], Awaitable[T]]
"""What wraps it."""


class TurnContext(Protocol):
    """What layers may know of a run."""

    @property
    def run_timeout(self) -> timedelta | None:
        """How long the run may take; None for as long as it needs."""
        ...

    @property
    def run_took(self) -> timedelta:
        """How long it has taken already, before it was begun again."""
        ...


class TurnLayer(Protocol):
    """Wraps a turn."""

    async def around_turn(self, context: TurnContext, turn: Work[None]) -> None:
        """Do something before, after or instead of the turn."""
        ...


class ToolCall(Protocol):
    """What layers may know of a call, and do beside it."""

    @property
    def name(self) -> str:
        """The tool."""
        ...

    @property
    def call_id(self) -> str:
        """The call."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it is called with."""
        ...

    @property
    def timeout(self) -> timedelta | None:
        """How long one try may take."""
        ...

    @property
    def retries(self) -> int:
        """How often the call is made again when it has failed and may succeed the next time."""
        ...

    async def emit(self, event: Event) -> None:
        """Put an event on the branch."""
        ...


class ToolLayer(Protocol):
    """Wraps a tool call."""

    async def around_tool_call(self, call: ToolCall, work: Work[ToolResult]) -> ToolResult:
        """Do something before, after or instead of the call."""
        ...


def compose(layers: Sequence[Around[T]], work: Work[T]) -> Work[T]:
    """Return the work with all layers around it."""
    for layer in reversed(layers):
        work = _wrap(layer, work)
    return work


def _wrap(layer: Around[T], work: Work[T]) -> Work[T]:
    async def wrapped() -> T:
        return await layer(work)

    return wrapped
