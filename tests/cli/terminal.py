"""`branchline send` at a terminal of its own, and the person in front of it."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from pathlib import Path
from typing import Self

from tests.harness.warm_python import WARM_PYTHON

_DEADLINE_SECONDS = 30
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
CTRL_C = "\x03"
CTRL_D = "\x04"


class Terminal:
    """A command that runs at a terminal; `with` ends it at the latest."""

    def __init__(self, *arguments: str, url: str, columns: int = 100, **environment: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            inherited.pop(name, None)
        # The terminal is its own, so that Ctrl-C typed there reaches it.
        self._process = WARM_PYTHON.start(
            *("send", *arguments, "--url", url),
            folder=Path.cwd(),
            environment=inherited | {"TERM": "xterm-256color"} | environment,
            files=(slave, slave, slave),
            at_terminal=True,
        )
        os.close(slave)
        self._got = b""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(_DEADLINE_SECONDS)
        os.close(self._master)

    @property
    def raw(self) -> str:
        """All that the terminal got, with its commands."""
        return self._got.decode(errors="replace").replace("\r\n", "\n")

    @property
    def screen(self) -> str:
        """What a person sees, as far as it is text: styles are left out, and a line begun anew hides what it covers."""
        return "\n".join(_overwritten(line) for line in _STYLE.sub("", self.raw).split("\n"))

    def read_until(self, text: str) -> None:
        """Wait until the screen shows a text that was not there at the last such wait."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while (found := self.screen.find(text, self._seen)) < 0:
            assert self._read(deadline - time.monotonic()), f"{text!r} did not come:\n{self.screen}"
        self._seen = found + len(text)

    def type(self, text: str) -> None:
        """Type something; `\\n` is Enter."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for the end of the command and return its exit status."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(_DEADLINE_SECONDS)

    def _read(self, seconds: float) -> bool:
        """Take what there is, within so many seconds; say whether there may be more."""
        if not select.select([self._master], [], [], max(seconds, 0))[0]:
            return False
        try:
            piece = os.read(self._master, 65_536)
        except OSError:
            # How Linux says that the last process has left the terminal.
            return False
        self._got += piece
        return bool(piece)


def _overwritten(line: str) -> str:
    shown = ""
    for piece in line.split("\r"):
        shown = piece + shown[len(piece) :]
    return shown
