"""The result: a table as it grows, and a file with every figure."""

import os
import platform
import time
from pathlib import Path

import msgspec

from benchmarks.row import Row


class Report:
    """Prints rows as they come and remembers them."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._cores = os.cpu_count() or 1

    def begin(self) -> None:
        """Say on what is measured."""
        print(f"{platform.python_implementation()} {platform.python_version()}, {self._cores} cores, ", end="")
        print(f"load {os.getloadavg()[0]:.1f} before; only ratios travel to another machine, below 20 % is a tie.")

    def add(self, row: Row) -> None:
        """Print a row."""
        self._rows.append(row)
        verdict = "met" if row.met else "MISSED"
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}x"
        print(f"\n{row.id}  {row.scenario}")
        print(f"    subject      {row.subject}")
        print(f"    calibration  {row.calibration or '-'}")
        print(f"    ratio {ratio}   goal {row.goal}   {verdict}   load {row.load:.1f}{self._doubt(row)}", flush=True)

    def save(self, folder: Path) -> Path:
        """Write every figure of every round as JSON, and return where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"results-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
        content = {"python": platform.python_version(), "cores": self._cores, "rows": self._rows}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
        return path

    def _doubt(self, row: Row) -> str:
        # A server and its readers make a load of two by themselves.
        return " (busy machine: not to be quoted)" if row.load > self._cores + 1 else ""
