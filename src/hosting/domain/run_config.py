"""What a run may be configured with."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from events.client_tools import ClientToolInput
from hosting.domain.errors import InvalidInput, RunConfigRefused
from middleware.client_tools.read import read_client_tool_input
from middleware.client_tools.refusal import ClientToolInputRefused

_CLOCK_FORM: Final = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)(\.\d{1,7})?", re.ASCII)
_LONGEST: Final = timedelta(days=7)
_LONGEST_WAIT: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of one run; a member that is not here is refused, never ignored.

    `permission_overrides` says of a tool that it may, or may not, be called without asking.
    The other durations say how long questions of each kind wait for an answer.
    """

    run_timeout: timedelta | None = None
    permission_timeout: timedelta | None = None
    continuation_timeout: timedelta | None = None
    clarification_timeout: timedelta | None = None
    client_tool_timeout: timedelta | None = None
    permission_overrides: Mapping[str, bool] = field(default_factory=dict)
    client_tool_input: ClientToolInput | None = None


def check_run_config(config: bytes) -> RunConfig:
    """Read a `runConfig` object.

    Raises:
        InvalidInput: it is no object, or a member has the wrong form.
        RunConfigRefused: it has a member that is not honoured.
    """
    if config == b"{}":
        return _DEFAULT
    try:
        # Undecoded: of a member that is refused anyway, however large, nothing is built.
        members = msgspec.json.decode(config, type=dict[str, msgspec.Raw] | None)
    except msgspec.ValidationError as error:
        raise InvalidInput("`runConfig` must be an object.") from error
    given = {name: bytes(value) for name, value in (members or {}).items() if bytes(value) != b"null"}
    for name in given:
        if name not in _MEMBERS:
            raise RunConfigRefused(f"This server does not honour `runConfig.{name[:100]}`; leave it out.")
    read = {_MEMBERS[name][0]: _MEMBERS[name][1](name, value) for name, value in given.items()}
    return RunConfig(**read)


def _duration(name: str, given: bytes) -> timedelta:
    return _checked_duration(name, given, _LONGEST, "seven days")


def _wait(name: str, given: bytes) -> timedelta:
    return _checked_duration(name, given, _LONGEST_WAIT, "a year")


def _checked_duration(name: str, given: bytes, longest: timedelta, in_words: str) -> timedelta:
    """Read `PT5M` (ISO 8601) or `hh:mm:ss[.f]`."""
    duration = _parse(msgspec.json.decode(given)) if given.startswith(b'"') else None
    if duration is None or not timedelta() < duration <= longest:
        raise InvalidInput(f"`runConfig.{name}` must be a duration like PT5M or 00:05:00, at most {in_words}.")
    return duration


def _overrides(name: str, given: bytes) -> dict[str, bool]:
    try:
        return msgspec.json.decode(given, type=dict[str, bool])
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`runConfig.{name}` must be an object of tools and booleans.") from error


def _client_tools(name: str, given: bytes) -> ClientToolInput:
    try:
        return read_client_tool_input(given)
    except ClientToolInputRefused as error:
        raise InvalidInput(str(error.below(f"runConfig.{name}"))) from error


def _parse(text: str) -> timedelta | None:
    clock = _CLOCK_FORM.fullmatch(text)
    if clock:
        hours, minutes, seconds, fraction = clock.groups()
        return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(fraction or 0))
    try:
        return msgspec.convert(text, timedelta)
    except msgspec.ValidationError:
        return None


_MEMBERS: Final[Mapping[str, tuple[str, Callable[[str, bytes], Any]]]] = {
    "runTimeout": ("run_timeout", _duration),
    "permissionTimeout": ("permission_timeout", _wait),
    "continuationTimeout": ("continuation_timeout", _wait),
    "clarificationTimeout": ("clarification_timeout", _wait),
    "clientToolTimeout": ("client_tool_timeout", _wait),
    "permissionOverrides": ("permission_overrides", _overrides),
    "clientToolInput": ("client_tool_input", _client_tools),
}
_DEFAULT: Final = RunConfig()
