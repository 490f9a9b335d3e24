"""`python -m benchmarks [ids...]`: run, print a table, keep the figures in `.benchmarks/`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.row import Row
from benchmarks.scenarios.fan_out import against_stock, in_bursts, one_by_one
from benchmarks.scenarios.first_event import first_event
from benchmarks.scenarios.many_runs import many_runs
from benchmarks.scenarios.one_run import one_run

SCENARIOS: Final[dict[str, Callable[[Plan], list[Row]]]] = {
    "P1": first_event,
    "P2": one_run,
    "P3": many_runs,
    "A1": in_bursts,
    "A2": one_by_one,
    "A6": against_stock,
}
_FOLDER: Final = Path(__file__).parents[1] / ".benchmarks"


def main() -> None:
    """Measure what was asked for; a goal that is missed is told, an event that is lost is an error."""
    given = _arguments()
    plan = Plan.quick(given.folder, given.rounds) if given.quick else Plan(given.folder, given.rounds)
    report = Report()
    report.begin()
    for name in given.ids or SCENARIOS:
        for row in SCENARIOS[name](plan):
            report.add(row)
    print(f"\nAll figures: {report.save(given.folder)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("ids", nargs="*", type=str.upper, help=f"what to measure: {' '.join(SCENARIOS)} (all of them)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, 5 at least for figures to be quoted")
    parser.add_argument("--quick", action="store_true", help="fewer events a round: rough figures, soon")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="on the disk that is meant")
    given = parser.parse_args()
    if unknown := [name for name in given.ids if name not in SCENARIOS]:
        parser.error(f"There is no {' '.join(unknown)}; choose from {' '.join(SCENARIOS)}.")
    if given.rounds < 1:
        parser.error("At least one round has to count.")
    return given


if __name__ == "__main__":
    main()
