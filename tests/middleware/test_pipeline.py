"""Layers wrap a turn, the first one outermost."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from middleware.pipeline import TurnContext, Work, compose


@dataclass(frozen=True)
class Context:
    """What the layers may know of a run."""

    run_timeout: timedelta | None = None


@dataclass
class Noting:
    """A layer that notes when it is entered and left."""

    name: str
    notes: list[str] = field(default_factory=list)

    async def around_turn(self, context: TurnContext, turn: Work[None]) -> None:
        self.notes.append(f"> {self.name}")
        await turn()
        self.notes.append(f"< {self.name}")


async def test_the_first_layer_is_outermost() -> None:
    notes: list[str] = []

    async def turn() -> None:
        notes.append("turn")

    layers = [partial(layer.around_turn, Context()) for layer in (Noting("a", notes), Noting("b", notes))]
    await compose(layers, turn)()

    assert notes == ["> a", "> b", "turn", "< b", "< a"]


async def test_a_turn_without_layers_is_itself() -> None:
    notes: list[str] = []

    async def turn() -> None:
        notes.append("turn")

    await compose([], turn)()

    assert notes == ["turn"]
