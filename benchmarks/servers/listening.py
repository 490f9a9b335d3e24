"""Serving an application as the shipped server does, without the rest of it."""

import gc
import socket
from typing import Any

import uvicorn

_BACKLOG = 2048


def listen(app: Any) -> None:
    """Serve any ASGI application with uvicorn's settings as we ship them for HTTP; says the port on standard output."""
    # What `hosting.cli.server` gives it, which takes nothing but an application of ours. Of WebSockets these have none,
    # and without a lifespan of its own a bare application would be told of one on every start.
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="auto",
        access_log=False,
        log_config=None,
        timeout_keep_alive=75,
        server_header=False,
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    gc.collect()
    gc.freeze()
    print("listening", listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
