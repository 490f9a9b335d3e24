"""The real server as we ship it, with an agent that asks a model."""

import os
import sys
from pathlib import Path

from benchmarks.servers.sampling import SAMPLES, sample_into
from benchmarks.servers.speaker import speaker
from hosting.adapters.models.adopt import adopt
from hosting.bootstrap import create_app
from hosting.cli.logs import log_to_stderr
from hosting.cli.server import end_process, shipped_server
from hosting.settings import Settings


def main(database_url: str, provider_port: int) -> None:
    """Serve until told to stop."""
    if SAMPLES in os.environ:
        sample_into(Path(os.environ[SAMPLES]))
    log_to_stderr()
    agents = {"speaker": adopt("speaker", speaker(provider_port))}
    app = create_app(agents, settings=Settings(database_url=database_url), fatal=end_process)
    shipped_server(app, "127.0.0.1", 0, lambda port: print("listening", port, flush=True)).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
