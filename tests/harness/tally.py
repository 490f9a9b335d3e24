"""How many trials of a row of the list of goals went well, and what was wrong with the others."""

import os
from typing import Final

_SHOWN: Final = 5


class Tally:
    """Counts the trials of one row; `close` prints `a5 9 ok / 10 total` and fails if one went wrong."""

    def __init__(self, row: str) -> None:
        self._row = row
        self._total = 0
        self._faults: list[str] = []

    @property
    def total(self) -> int:
        """How many trials there were."""
        return self._total

    def add(self, *faults: str) -> None:
        """Count a trial: it went well if nothing was wrong with it."""
        self._total += 1
        if faults:
            self._faults.append(f"trial {self._total}: {'; '.join(faults[:_SHOWN])}")

    def close(self, also: str = "") -> None:
        """Print the count, and what else was found; every trial must have gone well, and there must be one."""
        print(f"{self._row} {self._total - len(self._faults)} ok / {self._total} total{also and f': {also}'}")
        assert self._total
        assert not self._faults, f"seed {seed()}: {self._faults[:_SHOWN]}"


def rounds(default: int) -> int:
    """Return how many trials a campaign makes."""
    return int(os.environ.get("ROUNDS", default))


def seed() -> int:
    """Return what a campaign's chances begin with."""
    return int(os.environ.get("SEED", "1"))


def percentile(values: list[float], percent: float) -> float:
    """Return the value that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
