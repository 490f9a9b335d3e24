"""What a run may be configured with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from events.client_tools import ClientToolInput
from hosting.domain.compaction_options import RunCompaction
from hosting.domain.duration import read_duration
from hosting.domain.errors import InvalidInput, RunConfigRefused
from hosting.domain.model_config import (
    MODEL_MEMBERS,
    NEEDS_LEAVE,
    SECRET_MEMBERS,
    ModelConfig,
    not_honoured,
    read_model_config,
    read_struct,
)
from middleware.client_tools.read import read_client_tool_input
from middleware.client_tools.refusal import ClientToolInputRefused

_LONGEST: Final = timedelta(days=7)
_LONGEST_WAIT: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of one run; a member that is not here is refused, never ignored.

    `permission_overrides` says of a tool that it may, or may not, be called without asking.
    The other durations say how long questions of each kind wait for an answer.
    `trigger_compaction` has what was said before compacted now, and `skip_compaction`, which wins, left as it is.
    `model` is what an agent must be able to honour; `coalesce_deltas` joins what a message says to fewer events.
    """

    run_timeout: timedelta | None = None
    permission_timeout: timedelta | None = None
    continuation_timeout: timedelta | None = None
    clarification_timeout: timedelta | None = None
    client_tool_timeout: timedelta | None = None
    permission_overrides: Mapping[str, bool] = field(default_factory=dict)
    client_tool_input: ClientToolInput | None = None
    coalesce_deltas: bool = False
    trigger_compaction: bool = False
    skip_compaction: bool = False
    compaction: RunCompaction | None = None
    model: ModelConfig | None = None

    @property
    def asks_for_compaction(self) -> bool:
        """Whether it says anything of compaction but that there be none."""
        return (self.trigger_compaction or self.compaction is not None) and not self.skip_compaction


def check_run_config(config: bytes, *, client_endpoints: bool = True) -> RunConfig:
    """Read a `runConfig` object; without `client_endpoints` it may not say where the model is and with what key.

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
        if name in NEEDS_LEAVE and not client_endpoints:
            raise RunConfigRefused(
                f"This server does not take `runConfig.{name}` from clients; its operator may allow it, by the setting "
                "client_endpoints."
            )
        if name not in _MEMBERS and name not in MODEL_MEMBERS:
            raise not_honoured(name[:100])
    read = {_MEMBERS[name][0]: _MEMBERS[name][1](name, value) for name, value in given.items() if name in _MEMBERS}
    model = read_model_config({name: value for name, value in given.items() if name in MODEL_MEMBERS})
    return RunConfig(**read, model=model)


def check_stored_config(config: bytes) -> RunConfig:
    """Read the `runConfig` of a run that was accepted, without what is secret in it."""
    if config == b"{}":
        return _DEFAULT
    members = msgspec.json.decode(config, type=dict[str, msgspec.Raw])
    told = {name: value for name, value in members.items() if name not in SECRET_MEMBERS}
    return check_run_config(msgspec.json.encode(told))


def _duration(name: str, given: bytes) -> timedelta:
    return _checked_duration(name, given, _LONGEST, "seven days")


def _wait(name: str, given: bytes) -> timedelta:
    return _checked_duration(name, given, _LONGEST_WAIT, "a year")


def _checked_duration(name: str, given: bytes, longest: timedelta, in_words: str) -> timedelta:
    """Read `PT5M` (ISO 8601) or `hh:mm:ss[.f]`."""
    duration = read_duration(msgspec.json.decode(given)) if given.startswith(b'"') else None
    if duration is None or not timedelta() < duration <= longest:
        raise InvalidInput(f"`runConfig.{name}` must be a duration like PT5M or 00:05:00, at most {in_words}.")
    return duration


def _overrides(name: str, given: bytes) -> dict[str, bool]:
    try:
        return msgspec.json.decode(given, type=dict[str, bool])
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`runConfig.{name}` must be an object of tools and booleans.") from error


def _flag(name: str, given: bytes) -> bool:
    if given not in {b"true", b"false"}:
        raise InvalidInput(f"`runConfig.{name}` must be true or false.")
    return given == b"true"


def _compaction(name: str, given: bytes) -> RunCompaction:
    said = read_struct(f"runConfig.{name}", given, RunCompaction)
    if said.contradicts_itself:
        raise InvalidInput(f"`runConfig.{name}.keepMessages` must be at least two less than `trigger.messages`.")
    return said


def _client_tools(name: str, given: bytes) -> ClientToolInput:
    try:
        return read_client_tool_input(given)
    except ClientToolInputRefused as error:
        raise InvalidInput(str(error.below(f"runConfig.{name}"))) from error


_MEMBERS: Final[Mapping[str, tuple[str, Callable[[str, bytes], Any]]]] = {
    "runTimeout": ("run_timeout", _duration),
    "permissionTimeout": ("permission_timeout", _wait),
    "continuationTimeout": ("continuation_timeout", _wait),
    "clarificationTimeout": ("clarification_timeout", _wait),
    "clientToolTimeout": ("client_tool_timeout", _wait),
    "permissionOverrides": ("permission_overrides", _overrides),
    "clientToolInput": ("client_tool_input", _client_tools),
    "coalesceDeltas": ("coalesce_deltas", _flag),
    "triggerCompaction": ("trigger_compaction", _flag),
    "skipCompaction": ("skip_compaction", _flag),
    "compaction": ("compaction", _compaction),
}
_DEFAULT: Final = RunConfig()
