"""How many connections each address has open."""

from collections import Counter


class Peers:
    """Counts connections by address, and says when one has too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count one more, unless there are as many as there may be; say whether it was counted."""
        if self._open[address] >= self._most:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one less of those that were counted."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            # Or every address that was ever here would be remembered.
            del self._open[address]
