"""A real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Self

import psutil

from tests.harness.warm_python import WARM_PYTHON, WarmProcess

_ADDRESS = re.compile(r"listens on (http://\S+:\d+)")
_STARTS_WITHIN_SECONDS = 30


class ServerProcess:
    """`branchline serve` on a free port, with its logs in a file; started by `with`, and killed at the end."""

    def __init__(self, folder: Path, database_url: str, *arguments: str, **settings: object) -> None:
        self.folder = folder
        self.database_url = database_url
        self._arguments = arguments
        self._settings = settings
        self._process: WarmProcess | subprocess.Popen[bytes] | None = None
        self._output: IO[str] | None = None
        self.url = ""

    @property
    def errors(self) -> Path:
        """Where the server logs."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken so far: unlike the time of day, no other process adds to it."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def start(self) -> Self:
        """Start it and wait until it listens; recovery has run by then."""
        self._spawn()
        assert self._output is not None
        self.url = self._read_address(self._output)
        return self

    def refuse(self) -> tuple[int, str]:
        """Start it where it must not start; return its exit status and what it said."""
        self._spawn()
        return self.wait(), self.errors.read_text()

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self.signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> int:
        """SIGTERM; return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end; return the exit status."""
        assert self._process is not None
        status = self._process.wait(20)
        if self._output is not None:
            self._output.close()
        return status

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self.wait()

    def _spawn(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
        environment |= {"BRANCHLINE_DATABASE_URL": self.database_url, "BRANCHLINE_PORT": "0"}
        environment |= {f"BRANCHLINE_{name.upper()}": str(value) for name, value in self._settings.items()}
        reading, writing = os.pipe()
        self._output = os.fdopen(reading)
        with os.fdopen(writing, "w") as output, open(os.devnull) as nothing, self.errors.open("a") as log:
            self._process = self._begin(environment, (nothing.fileno(), output.fileno(), log.fileno()))

    def _begin(self, environment: dict[str, str], files: tuple[int, int, int]) -> WarmProcess | subprocess.Popen[bytes]:
        return WARM_PYTHON.start("serve", *self._arguments, folder=self.folder, environment=environment, files=files)

    def _read_address(self, output: IO[str]) -> str:
        for line in output:
            if match := _ADDRESS.search(line):
                return match[1]
        raise AssertionError(f"the server did not start:\n{self.errors.read_text()}")


class ColdServerProcess(ServerProcess):
    """`branchline serve` in a Python of its own, for what starting Python has a part in."""

    def _begin(self, environment: dict[str, str], files: tuple[int, int, int]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "hosting", "serve", *self._arguments]
        # What is installed has its bytecode, and is not compiled at each start.
        environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
        nothing, output, log = files
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdin=nothing, stdout=output, stderr=log)
