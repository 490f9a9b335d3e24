"""`branchline workers`."""

import json
from typing import Any, Final

import rich_click as click

from hosting.cli.aside import note
from hosting.cli.fleet_errand import ask_fleet, moment, to_server
from hosting.cli.table import print_table
from hosting.client import FleetWorker

_WHO: Final = "branchline workers"
_HEADINGS: Final = ("ID", "HOST", "STATUS", "SESSIONS", "PROJECTS", "LAST HEARD OF")
_DRAINING, _OK = "pool_draining", "ok"


@click.group()
def workers() -> None:
    """Look after the workers of a server."""


@workers.command("list")
@to_server
def list_workers(url: str, key: str | None) -> None:
    """Print the workers, a line each, those heard of last first."""
    shown = ask_fleet(_WHO, url, key, lambda fleet: fleet.workers())
    print_table(_HEADINGS, map(_row, shown.workers))
    told = shown.summary
    note(
        f"{told.active_workers} of {told.total_workers} are there, with {told.total_active} sessions and room for "
        f"{told.available_capacity} more; {told.queue_length} wait."
    )


@workers.command()
@click.argument("worker_id", metavar="ID")
@click.option("--why", help="What whoever runs the worker had better do.")
@to_server
def drain(worker_id: str, why: str | None, url: str, key: str | None) -> None:
    """Give the worker ID no more work; what it has it goes on with."""
    ask_fleet(_WHO, url, key, lambda fleet: fleet.set_host_status(worker_id, _DRAINING, recommended_action=why))
    note(f"Worker {worker_id} gets no more work; `branchline workers resume {worker_id}` gives it work again.")


@workers.command()
@click.argument("worker_id", metavar="ID")
@to_server
def resume(worker_id: str, url: str, key: str | None) -> None:
    """Give the worker ID work again."""
    ask_fleet(_WHO, url, key, lambda fleet: fleet.set_host_status(worker_id, _OK))
    note(f"Worker {worker_id} gets work again.")


@workers.command()
@click.argument("worker_id", metavar="ID")
@click.argument("op")
@click.argument("params", metavar="[JSON]", default="{}")
@to_server
def mutate(worker_id: str, op: str, params: str, url: str, key: str | None) -> None:
    """Ask the worker ID for the mutation OP of its host, such as session.kill or project.disable, and print its id.

    JSON is what OP works on, such as '{"projectId": "web"}'. Of these `branchline worker` does
    session.kill alone, and says so of the others.
    """
    given = _object(params)
    asked = ask_fleet(_WHO, url, key, lambda fleet: fleet.mutate(worker_id, op, given))
    print(asked.id)
    note(f"Worker {worker_id} is asked for {asked.op} with each heartbeat until it says what became of it.")


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
    sessions = f"{worker.session_count}/{worker.capacity}"
    return worker.id, worker.hostname, status, sessions, ",".join(projects), moment(worker.last_heartbeat)
