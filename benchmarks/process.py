"""A measured program in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from benchmarks.readers import cpu_seconds

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
        return cpu_seconds(self._usage)

    @property
    def id(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def memory(self) -> int:
        """Return how many bytes are the process's alone."""
        assert self._usage is not None
        return int(self._usage.memory_full_info().uss)

    def sockets(self) -> int:
        """Return how many sockets are open, the one that it listens on included."""
        return sum(name.startswith("socket:") for name in _open_files(self.id))

    def files(self) -> int:
        """Return how many files are open, sockets included."""
        assert self._usage is not None
        return int(self._usage.num_fds())

    def threads(self) -> int:
        """Return how many threads there are."""
        assert self._usage is not None
        return int(self._usage.num_threads())

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


def _open_files(process: int) -> Iterator[str]:
    for link in Path(f"/proc/{process}/fd").iterdir():
        # Some are closed while we look.
        with suppress(OSError):
            yield str(link.readlink())
