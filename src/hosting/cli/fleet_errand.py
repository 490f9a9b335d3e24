"""Commands that ask a server about its fleet: where that is, who is asking, and one errand there."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import rich_click as click

from hosting.cli.advice import advice
from hosting.cli.aside import refuse
from hosting.client import ClientError, Fleet, Patience

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

_PATIENCE: Final = Patience(connect=timedelta(seconds=5), answer=timedelta(seconds=30))
_URL: Final = "http://127.0.0.1:8000"


def to_server(command: C) -> C:
    """Give a command the options that say which server it asks, and who is asking: its `url` and `key`."""
    key = click.option(
        "--key",
        envvar="BRANCHLINE_KEY",
        help="An operator's key, for a server on another machine. Better in BRANCHLINE_KEY: what is typed is seen.",
    )
    url = click.option("--url", envvar="BRANCHLINE_URL", default=_URL, show_default=True, help="Where the server is.")
    return url(key(command))


def ask_fleet(who: str, url: str, key: str | None, errand: Callable[[Fleet], Awaitable[T]]) -> T:
    """Do an errand at a server and return what it brings; what the server refuses ends the command."""

    async def ask() -> T:
        async with Fleet(url, key=key, patience=_PATIENCE) as fleet:
            return await errand(fleet)

    try:
        return asyncio.run(ask())
    except ClientError as error:
        refuse(who, advice(who, url, error))


def moment(milliseconds: int) -> str:
    """Return a time since 1970 as a table shows it."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
