"""What a run may be configured with."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from hosting.domain.errors import InvalidInput, RunConfigRefused

_CLOCK_FORM: Final = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)(\.\d{1,7})?", re.ASCII)
_LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of one run; a member that is not here is refused, never ignored."""

    run_timeout: timedelta | None = None


def check_run_config(config: bytes) -> RunConfig:
    """Read a `runConfig` object.

    Raises:
        InvalidInput: it is no object, or a member has the wrong form.
        RunConfigRefused: it has a member that is not honoured.
    """
    try:
        # Undecoded: of a member that is refused anyway, however large, nothing is built.
        members = msgspec.json.decode(config, type=dict[str, msgspec.Raw] | None)
    except msgspec.ValidationError as error:
        raise InvalidInput("`runConfig` must be an object.") from error
    given = {name: bytes(value) for name, value in (members or {}).items() if bytes(value) != b"null"}
    for name in given:
        if name != "runTimeout":
            raise RunConfigRefused(f"This server does not honour `runConfig.{name[:100]}`; leave it out.")
    return RunConfig(run_timeout=_duration(given["runTimeout"]) if "runTimeout" in given else None)


def _duration(given: bytes) -> timedelta:
    """Read `PT5M` (ISO 8601) or `hh:mm:ss[.f]`."""
    duration = _parse(msgspec.json.decode(given)) if given.startswith(b'"') else None
    if duration is None or not timedelta() < duration <= _LONGEST:
        raise InvalidInput("`runConfig.runTimeout` must be a duration like PT5M or 00:05:00, at most seven days.")
    return duration


def _parse(text: str) -> timedelta | None:
    clock = _CLOCK_FORM.fullmatch(text)
    if clock:
        hours, minutes, seconds, fraction = clock.groups()
        return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(fraction or 0))
    try:
        return msgspec.convert(text, timedelta)
    except msgspec.ValidationError:
        return None
