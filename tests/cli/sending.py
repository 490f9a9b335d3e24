"""`branchline send` in a process of its own."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from tests.harness.warm_python import WARM_PYTHON

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
        (given, self._given), (self._out, out), (self._errors, errors) = (_pipe() for _ in range(3))
        with given, out, errors:
            self._process = WARM_PYTHON.start(
                *("send", *arguments, *(() if url is None else ("--url", url))),
                folder=Path.cwd(),
                environment=inherited | environment,
                files=(given.fileno(), out.fileno(), errors.fileno()),
            )
        self._printed = b""
        self._told = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait(_ENDS_WITHIN_SECONDS)
        for pipe in (self._given, self._out, self._errors):
            pipe.close()

    def read_until(self, text: str) -> None:
        """Wait until it has printed a text."""
        while text.encode() not in self._printed:
            piece = self._out.read(65_536)
            assert piece, f"it ended before it printed {text!r}: {self._printed!r}"
            self._printed += piece

    def read_errors_until(self, text: str) -> str:
        """Wait until it has told a text on standard error, and return all that it told there."""
        while text.encode() not in self._told:
            piece = self._errors.read(65_536)
            assert piece, f"it ended before it told {text!r}: {self._told!r}"
            self._told += piece
        return self._told.decode()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def leave(self) -> Sent:
        """Close the reading end of its standard output, as `| head` does, and wait for its end."""
        self._out.close()
        status = self._process.wait(_ENDS_WITHIN_SECONDS)
        return Sent(status, self._printed.decode(), self._errors.readall().decode())

    def end(self, given: bytes = b"") -> Sent:
        """Give it its standard input and wait for its end."""
        with ThreadPoolExecutor(3) as threads:
            threads.submit(self._give, given)
            out, errors = threads.submit(self._out.readall), threads.submit(self._errors.readall)
            try:
                status = self._process.wait(_ENDS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                # Or the threads would read for ever.
                self._process.kill()
                raise
        return Sent(status, (self._printed + out.result()).decode(), (self._told + errors.result()).decode())

    def _give(self, given: bytes) -> None:
        with suppress(BrokenPipeError), os.fdopen(os.dup(self._given.fileno()), "wb") as whole:
            self._given.close()
            whole.write(given)


def _pipe() -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    return FileIO(reading), FileIO(writing, "w")


def send(*arguments: str, url: str | None = None, given: bytes = b"", **environment: str) -> Sent:
    """Run the command to its end."""
    with Sending(*arguments, url=url, **environment) as sending:
        return sending.end(given)
