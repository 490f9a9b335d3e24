"""Durations as people write them."""

import re
from datetime import timedelta
from typing import Final

import msgspec

_CLOCK_FORM: Final = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)(\.\d{1,7})?", re.ASCII)


def read_duration(text: str) -> timedelta | None:
    """Read `PT5M` (ISO 8601) or `hh:mm:ss[.f]`; None when it is neither."""
    clock = _CLOCK_FORM.fullmatch(text)
    if clock:
        hours, minutes, seconds, fraction = clock.groups()
        return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(fraction or 0))
    try:
        return msgspec.convert(text, timedelta)
    except msgspec.ValidationError:
        return None
