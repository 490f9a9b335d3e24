"""What an agent writes with: the pen of its run, and a memory of what its writing has left unfinished."""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from events.event import Event
from events.serializer import Encoded
from events.turns import Usage
from hosting.domain.arm import Arm
from hosting.domain.errors import LeaseLost
from hosting.domain.lease import Lease
from hosting.ports.units import RunChange
from hosting.runtime.pen import Pen
from hosting.runtime.turn import Turn
from hosting.runtime.unfinished import Unfinished


class Cut(Protocol):
    """A message that is being written."""

    def cut(self) -> None:
        """End it where it is."""
        ...

    def flush(self) -> None:
        """Tell what was said so far, as far as it waits for more."""
        ...


class Hand:
    """Writes for one turn; what a nested one writes says so.

    It can be withdrawn: an agent that is being stopped writes nothing more, while the runtime closes what is open.
    """

    def __init__(self, pen: Pen, turn: Turn, unfinished: Unfinished | None = None, above: "Hand | None" = None) -> None:
        self.pen = pen
        self.turn = turn
        self.unfinished = unfinished or Unfinished()
        self.inside: list[Hand] = []
        self.replies: list[Cut] = []
        self._above = above
        self._withdrawn = False
        self.usage: Usage | None = None
        self.arms: dict[Arm, None] = {}

    @property
    def lease(self) -> Lease:
        """The right to write."""
        return self.pen.lease

    def put(self, event: Event, *changes: RunChange) -> None:
        """Append an event with its row changes; raises as Pen.put does, and LeaseLost once withdrawn."""
        placed = self._checked(event)
        self.pen.put(placed, *changes)
        self.unfinished.see(placed)

    def put_asking(self, event: Event, changes: Callable[[Encoded], tuple[RunChange, ...]]) -> None:
        """Append an event with row changes that are made of its bytes; raises as `put` does."""
        placed = self._checked(event)
        self.pen.put_asking(placed, changes)
        self.unfinished.see(placed)

    def record(self, *changes: RunChange) -> None:
        """Append row changes that no event tells of; raises as `put` does."""
        self.check()
        self.pen.record(*changes)

    async def emit(self, event: Event, *changes: RunChange) -> None:
        """Append an event and wait for room; raises as `put` does."""
        self.put(event, *changes)
        if self.pen.is_full:
            await self.pen.room()

    async def settle(self) -> None:
        """Wait until everything appended so far is durable."""
        await self.pen.settle()

    async def settle_read(self) -> None:
        """Wait until what the run has written of messages and state is there to be read."""
        await self.pen.settle_read()

    def nested(self, turn: Turn, unfinished: Unfinished | None = None) -> "Hand":
        """Return the hand of a turn inside of this one; pair with `end`.

        It takes the place of the one that was kept for the same turn, in case that nobody goes on with it.
        """
        hand = Hand(self.pen, turn, unfinished, self)
        for kept in [other for other in self.inside if other.turn.id == turn.id]:
            self.inside.remove(kept)
            hand._adopt(kept.inside)
        self.inside.append(hand)
        return hand

    def _adopt(self, inside: "list[Hand]") -> None:
        for hand in inside:
            hand._above = self
        self.inside += inside

    def end(self) -> None:
        """Know that nothing of this turn is open any more."""
        if self._above is not None and self in self._above.inside:
            self._above.inside.remove(self)

    def spend(self, usage: Usage | None) -> None:
        """Add to what the turn has cost."""
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage

    def work_by(self, arm: Arm) -> None:
        """Know whom the turn was given to: that learns of its end."""
        self.arms[arm] = None

    def withdraw(self) -> None:
        """Take nothing more from the agent, nor from what it nests."""
        self._withdrawn = True

    @property
    def is_withdrawn(self) -> bool:
        """Whether the agent may write no more."""
        return self._withdrawn or (self._above is not None and self._above.is_withdrawn)

    def check(self) -> None:
        """Make sure that the agent may write.

        Raises:
            LeaseLost: it may not.
        """
        if self.is_withdrawn:
            raise LeaseLost(self.lease.run.id)

    def finish(self, event: Event, *changes: RunChange) -> None:
        """Append what the runtime itself has to say, also when the hand is withdrawn: an agent may still be at it."""
        written = self.placed(event)
        self.pen.put(written, *changes)
        self.unfinished.see(written)

    def _checked(self, event: Event) -> Event:
        self.check()
        return self.placed(event)

    def placed(self, event: Event) -> Event:
        """Return an event as this hand writes it."""
        turn = self.turn
        if turn.metadata is None:
            return event
        return replace(
            event,
            metadata=turn.metadata,
            trace_id=event.trace_id or turn.trace_id,
            span_id=event.span_id or turn.span_id,
            parent_span_id=event.parent_span_id or turn.parent_span_id,
            event_flow_id=turn.id,
        )
