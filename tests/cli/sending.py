"""`branchline send` in a process of its own."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

_ENDS_WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Sent:
    """How a command ended."""

    status: int
    out: str
    errors: str


class Sending:
    """A command that runs; `with` ends it at the latest."""

    def __init__(self, *arguments: str, url: str | None = None, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hosting", "send", *arguments, *(() if url is None else ("--url", url))],
            env=inherited | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._out = b""
        self._errors = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def read_until(self, text: str) -> None:
        """Wait until it has printed a text."""
        assert self._process.stdout is not None
        while text.encode() not in self._out:
            piece = os.read(self._process.stdout.fileno(), 65_536)
            assert piece, f"it ended before it printed {text!r}: {self._out!r}"
            self._out += piece

    def read_errors_until(self, text: str) -> str:
        """Wait until it has told a text on standard error, and return all that it told there."""
        assert self._process.stderr is not None
        while text.encode() not in self._errors:
            piece = os.read(self._process.stderr.fileno(), 65_536)
            assert piece, f"it ended before it told {text!r}: {self._errors!r}"
            self._errors += piece
        return self._errors.decode()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def leave(self) -> Sent:
        """Close the reading end of its standard output, as `| head` does, and wait for its end."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdout.close()
        status = self._process.wait(_ENDS_WITHIN_SECONDS)
        return Sent(status, self._out.decode(), self._process.stderr.read().decode())

    def end(self, given: bytes = b"") -> Sent:
        """Give it its standard input and wait for its end."""
        out, errors = self._process.communicate(given, timeout=_ENDS_WITHIN_SECONDS)
        return Sent(self._process.returncode, (self._out + out).decode(), (self._errors + errors).decode())


def send(*arguments: str, url: str | None = None, given: bytes = b"", **environment: str) -> Sent:
    """Run the command to its end."""
    with Sending(*arguments, url=url, **environment) as sending:
        return sending.end(given)
