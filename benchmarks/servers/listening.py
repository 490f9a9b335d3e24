"""Serving an application as the shipped server does, without the rest of it."""

import gc
import socket
from typing import Any, cast

import uvicorn
from litestar import Litestar

from hosting.cli.server import shipped_server

_BACKLOG = 2048


def listen(app: Any) -> None:
    """Serve any ASGI application with uvicorn's settings as we ship them; says the port on standard output."""
    config = shipped_server(cast("Litestar", app), "127.0.0.1", 0, lambda port: None).config
    # Without a lifespan of its own a bare application would be told of one on every start.
    config.lifespan = "auto"
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    gc.collect()
    gc.freeze()
    print("listening", listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
