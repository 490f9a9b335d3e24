"""Ports that are kept free for whoever a test lets listen there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """Give a port where nobody answers but whom a test starts there; nobody else gets it meanwhile."""
    with socket.socket() as kept:
        # As servers do it, or they could not listen where this one keeps the place without listening.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        own: int = kept.getsockname()[1]
        yield own
