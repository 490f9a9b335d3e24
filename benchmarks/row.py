"""One line of the result: a subject, what it is compared with, and whether a goal is met."""

from dataclasses import dataclass, field

from benchmarks.machine import Load


@dataclass(frozen=True, slots=True)
class Row:
    """What was found for one goal; `samples` are the figures of each round, by program and name.

    `asserted` says that the goal is a ratio, which holds on any machine that is not busy with other things.
    What is drawn: `rates` are events a second of a core, `latencies` are seconds at p50 and p99; both by program.
    """

    id: str
    scenario: str
    subject: str
    calibration: str
    ratio: float | None
    goal: str
    met: bool
    load: Load
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    asserted: bool = False
    rates: dict[str, float] = field(default_factory=dict)
    latencies: dict[str, tuple[float, float]] = field(default_factory=dict)


def per_second(rate: float) -> str:
    """Write a rate as people read it."""
    if rate >= 1_000_000:
        return f"{rate / 1_000_000:.2f}M"
    return f"{rate / 1000:.0f}k" if rate >= 10_000 else f"{rate / 1000:.1f}k"


def milliseconds(*seconds: float) -> str:
    """Write durations as `1.20 / 3.41 ms`."""
    return " / ".join(f"{each * 1000:.2f}" for each in seconds) + " ms"


def kibibytes(size: float) -> str:
    """Write a size as people read it."""
    return f"{size / 1024:.1f} KiB"


def percent(share: float) -> str:
    """Write a share as `41 %`."""
    return f"{share * 100:.0f} %"
