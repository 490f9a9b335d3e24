"""The real server: `create_app` and uvicorn as we ship them, with agents that do nothing but write."""

import os
import sys
from pathlib import Path

from benchmarks.servers.agents import PreparedTokens, Producers, Publisher, author_tokens, paced_tokens
from benchmarks.servers.sampling import SAMPLES, sample_into
from hosting.bootstrap import create_app, server_of
from hosting.cli.logs import log_to_stderr
from hosting.cli.server import end_process, shipped_server
from hosting.ports.agents import Agent
from hosting.settings import Settings


def main(database_url: str) -> None:
    """Serve until told to stop."""
    if SAMPLES in os.environ:
        sample_into(Path(os.environ[SAMPLES]))
    log_to_stderr()
    publisher, producers = Publisher(), Producers()
    agents: dict[str, Agent] = {
        "prepared": PreparedTokens(),
        "author": author_tokens,
        "paced": paced_tokens,
        "publisher": publisher,
        "producers": producers,
    }
    app = create_app(
        agents, settings=Settings(database_url=database_url, routing_selector_enabled=True), fatal=end_process
    )
    publisher.rings = producers.rings = server_of(app).rings
    shipped_server(app, "127.0.0.1", 0, lambda port: print("listening", port, flush=True)).run()


if __name__ == "__main__":
    main(sys.argv[1])
