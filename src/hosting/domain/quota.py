"""How much of something there may be: in all, and of each who takes it."""

from collections import Counter
from collections.abc import Hashable
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Full(Enum):
    """Why nothing more is to be had."""

    OWN = auto()
    """Whoever asks has as much as one may have."""
    ALL = auto()
    """All together have as much as there may be."""


class Quota(Generic[T]):
    """Counts what is taken, and says when it is too much."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self.taken = 0
        self._by_one: Counter[T] = Counter()

    def taken_by(self, who: T) -> int:
        """Return how much one has."""
        return self._by_one[who]

    def full(self, who: T, amount: int = 1) -> Full | None:
        """Return why somebody cannot have so much more; None when it can be had."""
        if self.taken + amount > self.most:
            return Full.ALL
        return Full.OWN if self._by_one[who] + amount > self.most_of_one else None

    def take(self, who: T, amount: int = 1) -> Full | None:
        """Count so much more, unless there would be too much; return what `full` does."""
        full = self.full(who, amount)
        if full is None:
            self.add(who, amount)
        return full

    def add(self, who: T, amount: int = 1) -> None:
        """Count what is there already, however much that is."""
        self.taken += amount
        self._by_one[who] += amount

    def give_back(self, who: T, amount: int = 1) -> None:
        """Count so much less of what was taken or added."""
        self.taken -= amount
        self._by_one[who] -= amount
        if self._by_one[who] <= 0:
            # Or everybody who ever took something would be remembered.
            del self._by_one[who]
