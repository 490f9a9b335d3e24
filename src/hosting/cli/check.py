"""`branchline check`."""

import sys
from typing import Final, NoReturn

import msgspec
import rich_click as click

from hosting.adapters.sql.address import shown
from hosting.adapters.sql.check import Report, check_database
from hosting.cli.aside import complain, note
from hosting.cli.counting import counted
from hosting.domain.errors import BranchlineError, StorageUnavailable
from hosting.settings import load_settings

_WHO: Final = "branchline check"
_FOUND: Final = 1
_UNREADABLE: Final = 2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def check(as_json: bool) -> None:  # noqa: FBT001 - click hands options over by name
    """Read the whole database and tell what is wrong with it: damaged or missing events, rows on their own.

    The settings say which database; servers may be on it, and nothing is changed. A line a finding, 100 of each kind at
    most. The exit status is 0 when all is well, 1 when something was found, 2 when the database cannot be read.
    """
    try:
        url = load_settings().database_url.reveal()
        report, place = check_database(url), shown(url)
    except StorageUnavailable as error:
        _cannot(f"The database cannot be read now: {error.why.rstrip('.')}.")
    except BranchlineError as error:
        _cannot(str(error))
    if as_json:
        print(_json(report, place))
    else:
        for finding in report.findings:
            print(f"{finding.kind}  {finding.place}: {finding.detail}")
    note(_summary(report, place))
    sys.exit(_FOUND if report.counts else 0)


def _summary(report: Report, place: str) -> str:
    looked = report.looked
    branches, events = counted(looked.branches, "branch", "branches"), counted(looked.events, "event")
    seen = f"{branches} with {events} in {counted(looked.rows, 'row')} of {place}"
    if not report.counts:
        return f"{seen}: nothing is wrong."
    found = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.counts.items()))
    return f"{seen}: {found}. What to do about them is in docs/how-to/recover.md."


def _json(report: Report, place: str) -> str:
    looked = report.looked
    told = {
        "database": place,
        "branches": looked.branches,
        "rows": looked.rows,
        "events": looked.events,
        "counts": report.counts,
        "findings": report.findings,
    }
    return msgspec.json.encode(told).decode()


def _cannot(sentence: str) -> NoReturn:
    complain(_WHO, sentence)
    sys.exit(_UNREADABLE)
