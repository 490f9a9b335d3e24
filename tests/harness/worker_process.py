"""A real `branchline worker` in a process of its own."""

import re
import signal
import subprocess
from pathlib import Path
from typing import IO

from tests.harness.process import ServerProcess
from tests.harness.warm_python import WARM_PYTHON, WarmProcess

_REGISTERED = re.compile(r"Worker (wkr_\w+) \(process \d+\) does")


class WorkerProcess(ServerProcess):
    """`branchline worker` for a server, with its logs in a file; started by `with`, and killed at the end."""

    def __init__(self, folder: Path, url: str, *arguments: str, log: str = "worker.log", **settings: object) -> None:
        super().__init__(folder, "", *arguments, **settings)
        self.url = url
        self._log = log
        self.worker_id = ""

    @property
    def errors(self) -> Path:
        """Where the worker logs."""
        return self.folder / self._log

    def tells(self, sentence: str) -> bool:
        """Wait until it prints a sentence; False when it ends without."""
        assert self._output is not None
        return any(line.rstrip() == sentence for line in self._output)

    def stop(self) -> int:
        """SIGTERM; return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def _begin(self, environment: dict[str, str], files: tuple[int, int, int]) -> WarmProcess | subprocess.Popen[bytes]:
        arguments = ("worker", "--url", self.url, "--poll-seconds", "0.1", *self._arguments)
        return WARM_PYTHON.start(*arguments, folder=self.folder, environment=environment, files=files)

    def _read_address(self, output: IO[str]) -> str:
        for line in output:
            if match := _REGISTERED.search(line):
                self.worker_id = match[1]
                return self.url
        raise AssertionError(f"the worker did not start:\n{self.errors.read_text()}")
