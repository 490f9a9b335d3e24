"""Layers around a turn, the first one outermost."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

Turn = Callable[[], Awaitable[None]]


class TurnContext(Protocol):
    """What the layers may know of a run."""

    @property
    def run_timeout(self) -> timedelta | None:
        """How long the run may take; None for as long as it needs."""
        ...


class TurnLayer(Protocol):
    """Wraps a turn."""

    async def around_turn(self, context: TurnContext, turn: Turn) -> None:
        """Do something before, after or instead of the turn."""
        ...


def compose(layers: Sequence[TurnLayer], context: TurnContext, turn: Turn) -> Turn:
    """Return the turn with all layers around it."""
    for layer in reversed(layers):
        turn = _wrap(layer, context, turn)
    return turn


def _wrap(layer: TurnLayer, context: TurnContext, turn: Turn) -> Turn:
    async def wrapped() -> None:
        await layer.around_turn(context, turn)

    return wrapped
