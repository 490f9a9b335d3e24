"""What the machine does besides what is measured."""

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the machine was.

    `average` is the highest load average seen, ours included; `others` is how many cores programs kept busy that are
    none of ours.
    """

    average: float
    others: float

    @property
    def is_heavy(self) -> bool:
        """Whether figures that were taken under it are not to be quoted."""
        cores = os.cpu_count() or 1
        # A server and its readers make a load of two by themselves, and of one more where readers share processes.
        return self.average > cores + 2 or self.others > cores / 4

    def __str__(self) -> str:
        return f"load {self.average:.1f}, others {self.others:.1f}"


class Watch:
    """Looks on from its making to `load`."""

    def __init__(self) -> None:
        self._average = os.getloadavg()[0]
        self._began, self._busy, self._ours = time.monotonic(), _busy_seconds(), _our_seconds()

    def look(self) -> None:
        """Note the load average as it is now."""
        self._average = max(self._average, os.getloadavg()[0])

    def load(self) -> Load:
        """Return what was seen so far."""
        self.look()
        others = (_busy_seconds() - self._busy) - (_our_seconds() - self._ours)
        return Load(self._average, max(0.0, others / max(time.monotonic() - self._began, 0.01)))


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _our_seconds() -> float:
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            spent = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return float(total)
