"""A measured program in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Self

import psutil

_ROOT = Path(__file__).parents[1]
_ENDS_WITHIN_SECONDS = 15


class ServerProcess:
    """`python -m benchmarks.servers.NAME` on a free port; started by `with`, and ended with it."""

    def __init__(self, name: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", f"benchmarks.servers.{name}", *arguments]
        self._process: subprocess.Popen[str] | None = None
        self._usage: psutil.Process | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said.startswith("listening "):
            self._end()
            raise RuntimeError(f"{' '.join(self._command)} did not start.")
        self.port = int(said.split()[1])
        self._usage = psutil.Process(self._process.pid)
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken so far, all threads, in the kernel and outside."""
        assert self._usage is not None
        times = self._usage.cpu_times()
        return float(times.user + times.system)

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
