"""`python -m benchmarks [ids...]`: measure, print a line a row, keep the figures in `.benchmarks/`."""

import argparse
import sys
from pathlib import Path
from typing import Final

from benchmarks.plan import Plan
from benchmarks.publish import PAGE, merged, publish
from benchmarks.readers import allow_many_files
from benchmarks.report import Report
from benchmarks.scenarios.all import SCENARIOS

_ENOUGH_ROUNDS: Final = 5
_FOLDER: Final = Path(__file__).parents[1] / ".benchmarks"


def main() -> None:
    """Measure what was asked for.

    An event that is lost is an error; so is a ratio that is missed in enough rounds on a machine that was not busy.
    Every other goal that is missed is told.
    """
    given = _arguments()
    plan = Plan.quick(given.folder, given.rounds) if given.quick else Plan(given.folder, given.rounds)
    allow_many_files()
    report = Report()
    report.begin()
    try:
        for name in given.ids or SCENARIOS:
            for row in SCENARIOS[name](plan):
                report.add(row)
    finally:
        kept = report.save(given.folder)
        print(f"\nAll figures: {kept}")
    if given.publish:
        publish(merged([kept]))
        print(f"Table and plots: {PAGE.parent}")
    if report.failures and not given.quick and given.rounds >= _ENOUGH_ROUNDS:
        sys.exit(f"Missed: {', '.join(sorted({row.id for row in report.failures}))}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("ids", nargs="*", type=str.upper, help=f"what to measure: {' '.join(SCENARIOS)} (all of them)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, 5 at least for figures to be quoted")
    parser.add_argument("--quick", action="store_true", help="fewer events a round: rough figures, soon")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="on the disk that is meant")
    parser.add_argument("--publish", action="store_true", help="write the page's table and plots from this")
    given = parser.parse_args()
    if unknown := [name for name in given.ids if name not in SCENARIOS]:
        parser.error(f"There is no {' '.join(unknown)}; choose from {' '.join(SCENARIOS)}.")
    if given.rounds < 1:
        parser.error("At least one round has to count.")
    return given


if __name__ == "__main__":
    main()
