"""Times as the tables hold them: microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def to_ticks(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _START) // _TICK


def from_ticks(ticks: int) -> datetime:
    """Undo `to_ticks`."""
    return _START + ticks * _TICK
