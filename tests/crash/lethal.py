"""A server that kills itself at a commit of a test's choice; imported within the server, by the agents it hosts.

A test writes the file `death` into the server's folder: `before WORD`, `after WORD`, or either with a number, which
counts commits from the next one on. A commit is known by its words: the types of the events in it, `begin KIND` for a
step of that kind, `finish` for a step's end, `interrupt` for a wish to interrupt. With the end of a run it is over.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

_ORDER: Final = Path("death")
_DIED: Final = Path("died")
_TYPE: Final = re.compile(rb'"type":"([A-Z_]+)","eventId"')
_WORDS: Final = {"INSERT INTO interrupts": "interrupt", "UPDATE steps": "finish"}


class _Executioner:
    """Waits for the commit that was ordered."""

    def __init__(self) -> None:
        self._when = ""
        self._word = ""
        self._commits = 0

    def look(self, connection: Connection, words: list[str]) -> None:
        if _ORDER.exists():
            self._when, self._word = _ORDER.read_text().split(maxsplit=1)
            _ORDER.unlink()
            self._commits = 0
        self._commits += 1
        if self._word not in {*words, str(self._commits)}:
            if "BRANCH_RUN_COMPLETED" in words:
                self._word = ""
            return
        # First of all: whoever sees what this commit did must see that it is the last one.
        _DIED.write_text(" ".join(words))
        if self._when == "after":
            connection.connection.dbapi_connection.commit()
        os.kill(os.getpid(), signal.SIGKILL)


_executioner = _Executioner()


@event.listens_for(Engine, "before_cursor_execute")
def executed(connection: Connection, cursor: Any, statement: str, parameters: Any, *context: Any) -> None:
    words = connection.info.setdefault("words", [])
    words += [word for begin, word in _WORDS.items() if statement.startswith(begin)]
    if statement.startswith("INSERT INTO steps"):
        words += [f"begin {kind}" for kind in ("tool_call", "model_call") if kind in _texts(parameters)]
    if statement.startswith("INSERT INTO events"):
        words += [name.decode() for frames in _bytes(parameters) for name in _TYPE.findall(frames)]


@event.listens_for(Engine, "commit")
def committed(connection: Connection) -> None:
    words = connection.info.pop("words", [])
    if words:
        _executioner.look(connection, words)


@event.listens_for(Engine, "rollback")
def rolled_back(connection: Connection) -> None:
    connection.info.pop("words", None)


def _bytes(parameters: Any) -> Iterator[bytes]:
    for value in _flat(parameters):
        if isinstance(value, bytes | memoryview):
            yield bytes(value)


def _texts(parameters: Any) -> set[str]:
    return {str(value) for value in _flat(parameters) if isinstance(value, str)}


def _flat(parameters: Any) -> Iterator[Any]:
    if isinstance(parameters, dict):
        yield from parameters.values()
    elif isinstance(parameters, list | tuple):
        for each in parameters:
            yield from _flat(each)
    else:
        yield parameters
