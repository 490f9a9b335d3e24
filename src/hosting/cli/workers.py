"""`branchline workers`."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn, TypeVar

import rich_click as click
from rich.console import Console
from rich.markup import escape

from hosting.client import ClientError, Fleet, FleetWorker, Patience, Problem, ServerUnreachable

T = TypeVar("T")
_C = TypeVar("_C", bound=Callable[..., Any])

_PATIENCE: Final = Patience(connect=timedelta(seconds=5), answer=timedelta(seconds=30))
_HEADINGS: Final = ("ID", "HOST", "STATUS", "SESSIONS", "PROJECTS", "LAST HEARD OF")
_NOT_KNOWN: Final = 401
_URL: Final = "http://127.0.0.1:8000"
_DRAINING, _OK = "pool_draining", "ok"


def _to_server(command: _C) -> _C:
    """Give a command the options that say which server it asks, and who is asking."""
    key = click.option(
        "--key",
        envvar="BRANCHLINE_KEY",
        help="An operator's key, for a server on another machine. Better in BRANCHLINE_KEY: what is typed is seen.",
    )
    url = click.option("--url", envvar="BRANCHLINE_URL", default=_URL, show_default=True, help="Where the server is.")
    return url(key(command))


@click.group()
def workers() -> None:
    """Look after the workers of a server."""


@workers.command("list")
@_to_server
def list_workers(url: str, key: str | None) -> None:
    """Print the workers, a line each, those heard of last first."""
    shown = _ask(url, key, lambda fleet: fleet.workers())
    for line in _aligned([_HEADINGS, *map(_row, shown.workers)]):
        print(line)
    told = shown.summary
    _note(
        f"{told.active_workers} of {told.total_workers} are there, with {told.total_active} sessions and room for "
        f"{told.available_capacity} more; {told.queue_length} wait."
    )


@workers.command()
@click.argument("worker_id", metavar="ID")
@click.option("--why", help="What whoever runs the worker had better do.")
@_to_server
def drain(worker_id: str, why: str | None, url: str, key: str | None) -> None:
    """Give the worker ID no more work; what it has it goes on with."""
    _ask(url, key, lambda fleet: fleet.set_host_status(worker_id, _DRAINING, recommended_action=why))
    _note(f"Worker {worker_id} gets no more work; `branchline workers resume {worker_id}` gives it work again.")


@workers.command()
@click.argument("worker_id", metavar="ID")
@_to_server
def resume(worker_id: str, url: str, key: str | None) -> None:
    """Give the worker ID work again."""
    _ask(url, key, lambda fleet: fleet.set_host_status(worker_id, _OK))
    _note(f"Worker {worker_id} gets work again.")


@workers.command()
@click.argument("worker_id", metavar="ID")
@click.argument("op")
@click.argument("params", metavar="[JSON]", default="{}")
@_to_server
def mutate(worker_id: str, op: str, params: str, url: str, key: str | None) -> None:
    """Ask the worker ID to do OP to its host, such as session.kill or project.disable, and print the id of that."""
    given = _object(params)
    asked = _ask(url, key, lambda fleet: fleet.mutate(worker_id, op, given))
    print(asked.id)
    _note(f"Worker {worker_id} is asked for {asked.op} with each heartbeat until it says what became of it.")


def _ask(url: str, key: str | None, errand: Callable[[Fleet], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with Fleet(url, key=key, patience=_PATIENCE) as fleet:
            return await errand(fleet)

    try:
        return asyncio.run(ask())
    except ClientError as error:
        _refuse(_advice(error))


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"JSON is no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise click.UsageError('JSON must be an object, such as \'{"projectId": "web"}\'.')
    return given


def _row(worker: FleetWorker) -> tuple[str, ...]:
    told = worker.host_status
    status = worker.status if told is None or told.status == _OK else f"{worker.status} ({told.status})"
    projects = ([worker.project] if worker.project else list(worker.projects)) or ["-"]
    heard = datetime.fromtimestamp(worker.last_heartbeat / 1000, UTC)
    sessions = f"{worker.session_count}/{worker.capacity}"
    return worker.id, worker.hostname, status, sessions, ",".join(projects), f"{heard:%Y-%m-%dT%H:%M:%SZ}"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    legible = [tuple(cell if cell.isprintable() else repr(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*legible, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in legible]


def _advice(error: ClientError) -> str:
    if isinstance(error, ServerUnreachable):
        return f"{error} Start one with `branchline serve`, or name another with --url."
    if isinstance(error, Problem) and error.status == _NOT_KNOWN:
        return f"{error} `branchline workers` takes a key from BRANCHLINE_KEY, or from --key."
    return str(error)


def _note(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _refuse(sentence: str) -> NoReturn:
    Console(stderr=True).print(f"[bold red]branchline workers:[/] {escape(sentence)}", soft_wrap=True)
    sys.exit(1)
