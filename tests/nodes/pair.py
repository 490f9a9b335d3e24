"""Two servers on one database, and what readers at both of them are held to."""

from dataclasses import dataclass
from typing import Final

from tests.harness.client import Client
from tests.harness.feed import Frame
from tests.harness.process import ServerProcess

NEVER_SECONDS: Final = 3600
"""Longer than any test, for what is to be heard of and not to be looked for."""


@dataclass(frozen=True)
class Pair:
    """The servers, and the URL of their database."""

    url: str
    here: ServerProcess
    there: ServerProcess


def lines_of(frames: list[Frame]) -> list[str]:
    """Return the exact texts of the events among frames."""
    return [frame.data for frame in frames if frame.data is not None]


async def same_log(session: str, *clients: Client) -> list[str]:
    """Return a branch's log as exact texts, which every server must give alike."""
    first, *others = [await client.log_lines(session) for client in clients]
    assert [first] * len(others) == others
    return first
