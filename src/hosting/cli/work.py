"""`branchline work`."""

from typing import Final

import rich_click as click

from hosting.cli.aside import note
from hosting.cli.fleet_errand import ask_fleet, moment, to_server
from hosting.cli.table import print_table
from hosting.client import DeadLetter

_WHO: Final = "branchline work"
_HEADINGS: Final = ("ID", "AGENT", "SESSION", "BRANCH", "ATTEMPTS", "GIVEN UP")


@click.group()
def work() -> None:
    """Look after the work that a server has for its workers."""


@work.command()
@to_server
def dead(url: str, key: str | None) -> None:
    """Print what too many workers were lost with, a line each, the last first."""
    print_table(_HEADINGS, map(_row, ask_fleet(_WHO, url, key, lambda fleet: fleet.dead_letters())))


@work.command()
@click.argument("item", metavar="ID")
@to_server
def requeue(item: str, url: str, key: str | None) -> None:
    """Submit the input of a dead letter once more, and print the id of its new run; `work dead` tells the IDs."""
    again = ask_fleet(_WHO, url, key, lambda fleet: fleet.requeue(item))
    print(again.runtime_run_id)
    note(f"Its new run is {again.status} on branch {again.branch_id} of session {again.source_session_id}.")


def _row(letter: DeadLetter) -> tuple[str, ...]:
    return (
        letter.session_id,
        letter.agent_id,
        letter.source_session_id,
        letter.branch_id,
        str(letter.attempts),
        moment(letter.given_up_at),
    )
