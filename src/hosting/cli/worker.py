"""`branchline worker`."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import rich_click as click

from events.catalog import CatalogError
from hosting.cli.advice import advice
from hosting.cli.agents import Served, load_served
from hosting.cli.aside import note, refuse
from hosting.cli.logs import log_to_stderr
from hosting.client import ClientError, WorkerApi, WorkerIntroduction, WorkerRegistered
from hosting.domain.errors import BranchlineError
from hosting.settings import Settings, load_settings
from hosting.worker_bootstrap import OwnWorker

_WHO: Final = "branchline worker cannot go on"
_NO_WORK: Final = """\
There is no such work yet: the server has no agent of that id or name{within} whose definition says
runtime = "worker". One that is defined from now on is found; how: docs/how-to/workers.md."""
_CAPACITY: Final = 10
_POLL_SECONDS: Final = 1.0


@click.command()
@click.argument("agents", nargs=-1, required=True, metavar="MODULE:ATTR | FILE.py...")
@click.option(
    "--url", envvar="BRANCHLINE_URL", default="http://127.0.0.1:8000", show_default=True, help="Where the server is."
)
@click.option(
    "--token",
    "--key",
    "key",
    envvar="BRANCHLINE_KEY",
    help="The key that registers this worker; a server on this machine wants none. Better in BRANCHLINE_KEY: what is "
    "typed, others can see.",
)
@click.option(
    "--capacity", type=click.IntRange(1, 10_000), default=_CAPACITY, show_default=True, help="How many runs at a time."
)
@click.option("--project", "projects", multiple=True, help="Take the work of this project alone; can be repeated.")
@click.option("--name", default=None, help="What the fleet calls this worker; the name of the machine otherwise.")
@click.option(
    "--poll-seconds",
    type=click.FloatRange(0.05, 3600),
    default=_POLL_SECONDS,
    show_default=True,
    help="How often to ask for work.",
)
def worker(
    agents: tuple[str, ...],
    url: str,
    key: str | None,
    *,
    capacity: int,
    projects: tuple[str, ...],
    name: str | None,
    poll_seconds: float,
) -> None:
    """Do the runs of worker agents of a server, with the agents of the modules and files named.

    An agent here does the work of the agent that has its id or its name there, and whose definition says
    `runtime = "worker"`.
    """
    log_to_stderr()
    try:
        settings = load_settings()
        served = load_served(agents)
        introduction = WorkerIntroduction(
            hostname=name or socket.gethostname() or "worker",
            capacity=capacity,
            version=version("branchline"),
            projects=projects,
            agent_ids=_names(served),
        )
        api = WorkerApi(url, introduction, key=key)
        asyncio.run(_run(api, served, settings, poll_seconds=poll_seconds, url=url, projects=projects))
    except (BranchlineError, CatalogError, ClientError) as error:
        refuse(_WHO, advice("branchline worker", url, error) if isinstance(error, ClientError) else str(error))


async def _run(
    api: WorkerApi, served: Served, settings: Settings, *, poll_seconds: float, url: str, projects: Sequence[str]
) -> None:
    def ready(registered: WorkerRegistered) -> None:
        agents = ", ".join(served.agents)
        print(f"Worker {registered.worker_id} (process {os.getpid()}) does the work of {agents} for {url}.", flush=True)
        if not registered.agents:
            within = f" for {', '.join(projects)}" if projects else ""
            note(_NO_WORK.format(within=within))

    async with api:
        own = OwnWorker(
            api=api,
            agents=served.agents,
            settings=settings,
            poll_seconds=poll_seconds,
            ready=ready,
            leaving=_tell_leaving,
            events=tuple(served.events),
        )
        with _heeding_signals(own):
            await own.run()


@contextmanager
def _heeding_signals(own: OwnWorker) -> Iterator[None]:
    """Stop the worker at SIGTERM or Ctrl-C, in a hurry at the second one; the third ends the process at once."""
    loop, heeded = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def told() -> None:
        if not own.stop.is_set():
            own.stop.set()
            return
        own.hurry.set()
        for number in heeded:
            loop.remove_signal_handler(number)

    for number in heeded:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)


def _tell_leaving(runs: int, seconds: float) -> None:
    go = "1 run goes" if runs == 1 else f"{runs} runs go"
    on = f"{go} on for at most {seconds:g} s; once more ends that" if runs else "no run is under way"
    print(f"Draining: {on}.", flush=True)


def _names(served: Served) -> tuple[str, ...]:
    names = {name: None for agent_id, agent in served.agents.items() for name in (agent_id, agent.name)}
    return tuple(names)
