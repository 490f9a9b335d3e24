"""Figures as people see them: `python -m benchmarks.publish FILE...` fills the page and draws the plots."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.chart import Bars, Group, draw
from benchmarks.report import Results
from benchmarks.row import Row, milliseconds, per_second

PAGE: Final = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
_BEGINS: Final = "<!-- figures begin: `make bench` writes what is between these lines -->"
_ENDS: Final = "<!-- figures end -->"
_HEAD: Final = ("Row", "Scenario", "Branchline", "Beside it", "Ratio", "Goal", "")


def publish(results: Results, page: Path = PAGE) -> None:
    """Write the table between the page's markers, and the plots beside the page.

    Raises:
        ValueError: the page has no place for the table.
    """
    text = page.read_text("utf-8")
    before, begins, rest = text.partition(_BEGINS)
    _, ends, after = rest.partition(_ENDS)
    if not begins or not ends:
        raise ValueError(f"{page} lacks the lines that the figures go between.")
    page.write_text(f"{before}{_BEGINS}\n\n{table(results)}\n{_ENDS}{after}", "utf-8")
    rows = sorted(results.rows, key=lambda row: row.id)
    (page.parent / "fan-out.svg").write_text(draw(_fan_out(rows)), "utf-8")
    (page.parent / "latency.svg").write_text(draw(_latency(rows)), "utf-8")


def merged(files: Sequence[Path]) -> Results:
    """Return the results of several commands as one: each row as the last file that has it."""
    read = [msgspec.json.decode(file.read_bytes(), type=Results) for file in files]
    rows: dict[str, list[Row]] = {}
    for results in read:
        newer: dict[str, list[Row]] = {}
        for row in results.rows:
            newer.setdefault(row.id, []).append(row)
        rows |= newer
    return msgspec.structs.replace(read[-1], rows=[row for each in rows.values() for row in each])


def table(results: Results) -> str:
    """Write all rows as a table, and what they were measured on."""
    heavy = any(row.load.is_heavy for row in results.rows)
    lines = [
        f"Measured {results.measured_at} UTC on {results.cores} cores with Python {results.python}"
        f"{'; rows marked with an asterisk while the machine had other things to do' if heavy else ''}.",
        "",
        _line(_HEAD),
        _line(["---"] * len(_HEAD)),
        *(_line(_cells(row)) for row in sorted(results.rows, key=lambda row: row.id)),
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> Sequence[str]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = ("met" if row.met else "**missed**") + (" \\*" if row.load.is_heavy else "")
    return row.id, row.scenario, row.subject, row.calibration, ratio, row.goal, verdict


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _fan_out(rows: Sequence[Row]) -> Bars:
    groups: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.rates:
            groups.setdefault(f"{row.id}  {row.scenario.partition(', p50')[0]}", {}).update(row.rates)
    return Bars(
        "Events delivered a second of one core (longer is better)",
        [
            Group(name, [(program, rate, per_second(rate)) for program, rate in rates.items()])
            for name, rates in groups.items()
        ],
    )


def _latency(rows: Sequence[Row]) -> Bars:
    groups = [
        Group(
            f"{row.id}  {row.scenario.partition(', p50')[0].partition(', from')[0]}",
            [
                (program, p99, f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)}")
                for program, (p50, p99) in row.latencies.items()
            ],
            [p50 for p50, _ in row.latencies.values()],
        )
        for row in rows
        if row.latencies
    ]
    return Bars("Milliseconds at p50 (dark) and p99 (light) (shorter is better)", groups)


if __name__ == "__main__":
    publish(merged([Path(name) for name in sys.argv[1:]]))
