"""`branchline work`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, TypeVar

import rich_click as click
from rich.console import Console
from rich.markup import escape

from hosting.client import ClientError, DeadLetter, Fleet, Patience, ServerUnreachable

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., object])

_PATIENCE: Final = Patience(connect=timedelta(seconds=5), answer=timedelta(seconds=30))
_URL: Final = "http://127.0.0.1:8000"
_HEADINGS: Final = ("ID", "AGENT", "SESSION", "BRANCH", "ATTEMPTS", "GIVEN UP")


def _to_server(command: C) -> C:
    """Give a command the options that say which server it asks, and who is asking."""
    key = click.option(
        "--key",
        envvar="BRANCHLINE_KEY",
        help="An operator's key, for a server on another machine. Better in BRANCHLINE_KEY: what is typed is seen.",
    )
    url = click.option("--url", envvar="BRANCHLINE_URL", default=_URL, show_default=True, help="Where the server is.")
    return url(key(command))


@click.group()
def work() -> None:
    """Look after the work that a server has for its workers."""


@work.command()
@_to_server
def dead(url: str, key: str | None) -> None:
    """Print what too many workers were lost with, a line each, the last first."""
    found = _ask(url, key, lambda fleet: fleet.dead_letters())
    for line in _aligned([_HEADINGS, *map(_row, found)]):
        print(line)


@work.command()
@click.argument("item", metavar="ID")
@_to_server
def requeue(item: str, url: str, key: str | None) -> None:
    """Submit the input of what was given up under this ID once more, and print the id of its new run."""
    again = _ask(url, key, lambda fleet: fleet.requeue(item))
    print(again.runtime_run_id)
    _note(f"Its new run is {again.status} on branch {again.branch_id} of session {again.source_session_id}.")


def _ask(url: str, key: str | None, errand: Callable[[Fleet], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with Fleet(url, key=key, patience=_PATIENCE) as fleet:
            return await errand(fleet)

    try:
        return asyncio.run(ask())
    except ServerUnreachable as error:
        _refuse(f"{error} Start one with `branchline serve`, or name another with --url.")
    except ClientError as error:
        _refuse(str(error))


def _row(letter: DeadLetter) -> tuple[str, ...]:
    given_up = datetime.fromtimestamp(letter.given_up_at / 1000, UTC)
    return (
        letter.session_id,
        letter.agent_id,
        letter.source_session_id,
        letter.branch_id,
        str(letter.attempts),
        f"{given_up:%Y-%m-%dT%H:%M:%SZ}",
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _note(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _refuse(sentence: str) -> NoReturn:
    Console(stderr=True).print(f"[bold red]branchline work:[/] {escape(sentence)}", soft_wrap=True)
    sys.exit(1)
