"""A tracer on a running server, which makes its system calls fail or fatal."""

import shutil
import subprocess
from pathlib import Path
from typing import Final, Self

import pytest

from tests.harness.process import ServerProcess

_ENDS_WITHIN_SECONDS: Final = 3

needs_strace: Final = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
"""Skips where there is none; `apt-get install strace` brings it."""


class Strace:
    """`strace` with these options on a server's threads, while the block lasts or until the server dies of it."""

    def __init__(self, server: ServerProcess, *options: str) -> None:
        self.trace = server.folder / "trace"
        self._command = ["strace", "-f", "-o", str(self.trace), *options, "-p", str(server.pid)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        # It says so once it holds all threads, and refuses at once where it may not trace.
        said = self._process.stderr.readline()
        assert "attached" in said, said
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.communicate(timeout=_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            # It may wait for a thread that died with its process, and then hears nothing.
            self._process.kill()
            self._process.communicate()

    def lines(self) -> list[str]:
        """Return what it has seen."""
        return Path(self.trace).read_text().splitlines()
