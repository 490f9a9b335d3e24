"""The time, as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the time in UTC; only shown to people and clients, never used to decide who holds a lease."""


def system_clock() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)
