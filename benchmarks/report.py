"""The result: a table as it grows, and a file with every figure."""

import os
import platform
import time
from pathlib import Path

import msgspec

from benchmarks.row import Row


class Results(msgspec.Struct, frozen=True):
    """What one command measured, and where; `measured_at` is UTC."""

    python: str
    cores: int
    measured_at: str
    rows: list[Row]


class Report:
    """Prints rows as they come and remembers them."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._cores = os.cpu_count() or 1

    def begin(self) -> None:
        """Say on what is measured."""
        print(f"{platform.python_implementation()} {platform.python_version()}, {self._cores} cores, ", end="")
        print(f"load {os.getloadavg()[0]:.1f} before; only ratios travel to another machine, below 20 % is a tie.\n")

    def add(self, row: Row) -> None:
        """Print a row."""
        self._rows.append(row)
        print(line(row), flush=True)

    @property
    def failures(self) -> list[Row]:
        """The ratios that were missed while the machine had nothing else to do."""
        return [row for row in self._rows if row.asserted and not row.met and not row.load.is_heavy]

    def save(self, folder: Path) -> Path:
        """Write every figure of every round as JSON, and return where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"results-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
        measured_at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        results = Results(platform.python_version(), self._cores, measured_at, self._rows)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
        return path


def line(row: Row) -> str:
    """Write a row as one line."""
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = "ok" if row.met else "MISSED"
    doubt = ", busy machine: not to be quoted" if row.load.is_heavy else ""
    beside = f" | {row.calibration}" if row.calibration else ""
    return (
        f"{row.id} ratio {ratio} goal {row.goal} {verdict} ({row.load}{doubt})  {row.scenario}: {row.subject}{beside}"
    )
