"""One line of the result: a subject, what it is compared with, and whether a goal is met."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """What was found for one goal; `samples` are the figures of each round, by program and name."""

    id: str
    scenario: str
    subject: str
    calibration: str
    ratio: float | None
    goal: str
    met: bool
    load: float
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)


def per_second(rate: float) -> str:
    """Write a rate as people read it."""
    if rate >= 1_000_000:
        return f"{rate / 1_000_000:.2f}M"
    return f"{rate / 1000:.0f}k" if rate >= 10_000 else f"{rate / 1000:.1f}k"


def milliseconds(*seconds: float) -> str:
    """Write durations as `1.20 / 3.41 ms`."""
    return " / ".join(f"{each * 1000:.2f}" for each in seconds) + " ms"
