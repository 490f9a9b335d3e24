"""`branchline serve`."""

import logging
import os
import sys
from typing import Final

import rich_click as click
from msgspec.structs import replace

from events.catalog import CatalogError
from hosting.bootstrap import create_app, server_of
from hosting.capacity import allow_files
from hosting.cli.agents import load_served
from hosting.cli.aside import refuse
from hosting.cli.logs import log_to_stderr
from hosting.cli.server import check_address, end_process, shipped_server
from hosting.domain.errors import BranchlineError
from hosting.roster import ASSISTANT
from hosting.runtime.agents import Registered
from hosting.server import Server
from hosting.settings import load_settings

_WHO: Final = "branchline cannot start"
_TRY: Final = """
Branchline listens on {base} (process {process}).
It hosts {hosted}. Try, in a second terminal:

  curl -X POST {base}/sessions -H 'Content-Type: application/json' -d '{{"sessionId":"demo"}}'
  curl -N {branch}/events/live

and in a third one:

  curl -X POST {branch}/inputs -H 'Content-Type: application/json' -d '{{"text":"Hello"}}'
"""


@click.command()
@click.argument("agents", nargs=-1, metavar="[MODULE:ATTR | FILE.py]...")
@click.option("--host", help="Where to listen (BRANCHLINE_HOST).")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen on (BRANCHLINE_PORT).")
def serve(agents: tuple[str, ...], host: str | None, port: int | None) -> None:
    """Serve the demo agent, and the agents, tools and custom events of the modules and files named.

    A module or file brings every agent made with `hosting.agent`, every agent of pydantic-ai's, every async function
    that takes only a `context`, and every object with `agent_id`, `name` and `run`.
    MODULE:ATTR brings that one agent; its id is its own, or else ATTR.
    """
    log_to_stderr()
    try:
        settings = load_settings()
        # Known to the whole application: pages that came from this address are the server's own.
        settings = replace(settings, host=host or settings.host)
        allow_files(settings)
        served = load_served(agents)
        tools, events = served.tools.values(), served.events
        app = create_app(served.agents, settings=settings, tools=tools, events=events, fatal=end_process)
        chosen, chosen_port = settings.host, settings.port if port is None else port
        check_address(chosen, chosen_port)
    except (BranchlineError, CatalogError) as error:
        refuse(_WHO, str(error))
    # Why the start was refused is told in one sentence; uvicorn would put its traceback in front of it.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not server_of(app).refused)
    server = shipped_server(app, chosen, chosen_port, lambda at: _greet(chosen, at, server_of(app)))
    try:
        server.run()
    except SystemExit:
        # uvicorn's way of saying that the start failed; why it did is ours to tell.
        if not server_of(app).refused:
            raise
    if server_of(app).refused:
        refuse(_WHO, server_of(app).refused)
    if server_of(app).failed:
        sys.exit(1)


def _greet(host: str, port: int, hosting: Server) -> None:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    branch = f"{base}/agents/{_foremost(hosting)}/sessions/demo/branches/main"
    hosted = ", ".join(_shown(*each) for each in hosting.roster.registered.items())
    print(_TRY.format(base=base, branch=branch, hosted=hosted, process=os.getpid()), flush=True)
    if model := hosting.settings.model:
        print(f"The agent {ASSISTANT} answers with {model}; the agent demo needs no model.\n", flush=True)


def _shown(agent_id: str, known: Registered) -> str:
    return agent_id if known.agent is not None else f"{agent_id} (its runs are for workers)"


def _foremost(hosting: Server) -> str:
    """Return whom to try: the first agent that is the user's own and answers here."""
    own = (each for each, known in hosting.roster.registered.items() if each != "demo" and known.agent is not None)
    return next(own, "demo")
