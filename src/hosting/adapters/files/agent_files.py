"""Definitions in files: `NAME.toml` is a config, `NAME.md` instructions with a config in front of them."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from events.ids import AgentId, is_client_id
from hosting.domain.config_text import read_config
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import AgentFileRefused, ConfigRefused

_KINDS: Final = {".toml", ".md"}
_FOR_PEOPLE: Final = "README.md"
_LARGEST: Final = 1 << 20
_FRONT: Final = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_INSTRUCTIONS: Final = "systemInstructions"


@dataclass(frozen=True, slots=True)
class AgentFile:
    """A definition that was read from a file; its id is the file's name without the ending."""

    path: Path
    agent_id: AgentId
    config: AgentConfig


def read_agent_files(folder: Path) -> Iterator[AgentFile]:
    """Read the definitions in a folder, in order of their names; there may be no such folder, and a README.md is none.

    Raises:
        AgentFileRefused: a file cannot be taken; the sentence names it, and the member or other file that is to blame.
    """
    first: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in _KINDS and path.is_file() and not path.name.startswith(".") and path.name != _FOR_PEOPLE:
            if (other := first.setdefault(path.stem, path)) is not path:
                raise AgentFileRefused(path, f"{other} has the same name without the ending, which is the agent's id.")
            yield _read(path)


def _read(path: Path) -> AgentFile:
    if not is_client_id(path.stem):
        raise AgentFileRefused(path, "its name without the ending is the agent's id: 1 to 128 of A-Z a-z 0-9 . _ ~ -.")
    try:
        return AgentFile(path, AgentId(path.stem), _config(path, _text(path)))
    except tomllib.TOMLDecodeError as error:
        raise AgentFileRefused(path, f"this is no TOML: {error}.") from error
    except ConfigRefused as error:
        raise AgentFileRefused(path, str(error)) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise AgentFileRefused(path, f"it is larger than {_LARGEST >> 20} MiB.")
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise AgentFileRefused(path, "it is not UTF-8.") from error
    except OSError as error:
        raise AgentFileRefused(path, f"it cannot be read: {error.strerror}.") from error


def _config(path: Path, text: str) -> AgentConfig:
    if "\x00" in text:
        raise AgentFileRefused(path, "it holds a NUL character.")
    members = tomllib.loads(text) if path.suffix == ".toml" else _members_in_front(path, text)
    return read_config(_as_json(members), AgentConfig)


def _members_in_front(path: Path, text: str) -> dict[str, Any]:
    front = _FRONT.match(text)
    if front is None:
        raise AgentFileRefused(path, "it must begin with its config, as TOML between two lines of +++.")
    members = tomllib.loads(front[1])
    if _INSTRUCTIONS in members:
        raise AgentFileRefused(path, f"the text below the config is its `{_INSTRUCTIONS}`; leave the member out.")
    instructions = text[front.end() :].strip()
    return {**members, _INSTRUCTIONS: instructions} if instructions else members


def _as_json(members: dict[str, Any]) -> bytes:
    # What TOML has and JSON has not (dates, infinities) becomes what no member takes.
    return msgspec.json.encode(members, enc_hook=str)
