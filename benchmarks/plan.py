"""How much to measure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds that count, and the size of each; `folder` is on the disk that is measured.

    What takes less than a tenth of a second is done `repeats` times a round, since one disturbance spoils it.
    Figures are read off in `processes` processes of readers. What is paced is measured for `seconds` a round.
    """

    folder: Path
    rounds: int = 5
    repeats: int = 4
    processes: int = 2
    seconds: float = 3.0
    tokens: tuple[int, ...] = (2_000, 20_000)
    runs: int = 64
    tokens_each: int = 100
    inputs: int = 100
    readers: int = 100
    burst_events: int = 16_000
    single_events: int = 1_600
    many_readers: int = 1_000
    many_events: int = 120
    branches: int = 1_000
    paced_runs: int = 200
    connections: int = 1_000
    stuck_rate: int = 20_000
    encodings: int = 20_000
    appends: int = 200
    paced_appends: int = 4_000
    joiners: int = 100
    joined_tokens: int = 5_000
    relayed_sessions: int = 50
    routed_sessions: int = 50
    selects: int = 500

    @classmethod
    def quick(cls, folder: Path, rounds: int) -> "Plan":
        """Return a plan whose figures are rough."""
        return cls(
            folder,
            rounds,
            repeats=1,
            seconds=1.0,
            tokens=(2_000,),
            inputs=30,
            burst_events=4_800,
            single_events=400,
            many_events=30,
            encodings=5_000,
            appends=50,
            joined_tokens=1_000,
            selects=200,
        )
