"""Settings: from the environment (`BRANCHLINE_*`), then `branchline.toml`, then the defaults here."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from hosting.domain.errors import BranchlineError

_PREFIX: Final = "BRANCHLINE_"
_FILE: Final = "branchline.toml"
# What `branchline send` reads; who has it in the environment must still be able to start a server.
_OF_CLIENTS: Final = frozenset({"BRANCHLINE_URL"})

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class SettingsRefused(BranchlineError):
    """A setting cannot be used; the sentence names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set; durations are seconds."""

    host: str = "127.0.0.1"
    """Where the server listens."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8000
    """The port; 0 takes a free one."""
    database_url: str = "sqlite+aiosqlite:///./branchline.db"
    """Where everything is stored: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://...`."""
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.3, le=3600)] = 5.0
    """How long a run stays without a node when its node has died, at most."""
    sweep_seconds: Seconds = 0.5
    """How often a node looks for runs that nobody holds."""
    heartbeat_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 10.0
    """How often an idle live feed shows that it lives; 10 at most."""
    tops_seconds: Seconds = 2.0
    """How often followed branches are compared with the store."""
    run_attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    """How often a run is begun before it is given up."""
    default_agent: str | None = None
    """The agent that answers under ids that no agent has; without it they are 404."""


def load_settings(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """Read the settings.

    Raises:
        SettingsRefused: a value is out of range, or the file or environment names a setting that does not exist.
    """
    given: dict[str, object] = dict(_read_file((folder or Path.cwd()) / _FILE))
    for name, value in environment.items():
        if name.startswith(_PREFIX) and name not in _OF_CLIENTS:
            given[name.removeprefix(_PREFIX).lower()] = value
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsRefused(f"A setting cannot be used: {error}.") from error


def _read_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{_FILE} cannot be read: {error}.") from error
