"""Reading a log while its beginning goes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.patience import Patience

Log = list[dict[str, Any]]


async def log_once(client: Client, session: str, so: Callable[[Log], bool]) -> Log:
    """Return a log that is being trimmed, once it is so."""
    patience = Patience()
    async with asyncio.timeout(30):
        while True:
            # One that loses its beginning while it is read is cut off, and read once more.
            with suppress(httpx.RemoteProtocolError):
                if so(log := await client.log(session)):
                    return log
            await patience.wait()


def is_trimmed(log: Log) -> bool:
    """Whether the beginning is gone."""
    return not log or log[0]["sequenceNumber"] > 1
