"""A Python that has imported Branchline already; a process that is born of it starts a second earlier than another.

Importing is most of what a start costs, and a run of the tests starts more than a thousand servers. What is born is a
process like any other: a fork, with an environment, a folder, files and a death of its own. Its memory was used for
nothing but imports, and to make one application that was never begun: no loop, no thread and no connection was ever in
it. What starts Python anew as well is `ColdServerProcess`, `tests/docs` and `tests/house`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


class WarmProcess:
    """A process that was born: what `subprocess.Popen` says of one of its own."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._said = b""
        self._listen(lines=1)
        self.pid = int(self._said.split(b"\n")[0])
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status once it has ended; minus the signal if one has ended it."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Wait for the end, no longer than this; return the exit status."""
        if self.returncode is None:
            self._line.settimeout(seconds)
            try:
                self._listen(lines=2)
            except (BlockingIOError, TimeoutError) as error:
                raise subprocess.TimeoutExpired(f"process {self.pid}", seconds) from error
            self._line.close()
            self.returncode = int(self._said.split(b"\n")[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`."""
        self.send_signal(signal.SIGKILL)

    def _listen(self, *, lines: int) -> None:
        while self._said.count(b"\n") < lines:
            piece = self._line.recv(100)
            assert piece, f"the warm Python has gone: {self._said!r}"
            self._said += piece


class WarmPython:
    """The one of this process; it is started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        files: tuple[int, int, int],
        at_terminal: bool = False,
    ) -> WarmProcess:
        """Begin `python -m hosting` with arguments, a whole environment, and files for 0, 1 and 2; they stay open here.

        At a terminal all three are that terminal, and it becomes the process's own.
        """
        line, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._awake(), [b"!"], [theirs.fileno(), *files])
        wanted = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "at_terminal": at_terminal,
        }
        line.sendall(json.dumps(wanted).encode())
        line.shutdown(socket.SHUT_WR)
        return WarmProcess(line)

    def end(self) -> None:
        """End it; all that was born of it must have ended by now."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait(20)
            self._control = self._process = None

    def _awake(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.harness.warm_main", str(theirs.fileno())],
                    cwd=Path(__file__).parents[2],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
        return self._control


WARM_PYTHON = WarmPython()
