"""How much to measure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds that count, and the size of each; `folder` is on the disk that is measured.

    What takes less than a tenth of a second is done `repeats` times a round, since one disturbance spoils it.
    """

    folder: Path
    rounds: int = 5
    repeats: int = 4
    tokens: tuple[int, ...] = (2_000, 20_000)
    runs: int = 64
    tokens_each: int = 100
    inputs: int = 100
    readers: int = 100
    burst_events: int = 16_000
    single_events: int = 1_600

    @classmethod
    def quick(cls, folder: Path, rounds: int) -> "Plan":
        """Return a plan whose figures are rough."""
        return cls(folder, rounds, repeats=1, tokens=(2_000,), inputs=30, burst_events=4_800, single_events=400)
