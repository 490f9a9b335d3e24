"""The servers of this package, and a long run on each that many tests read."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.following.log_bytes import LogBytes
from tests.harness.client import Client
from tests.harness.databases import DATABASES
from tests.harness.process import ServerProcess
from tests.runs.lasting_server import lasting_server


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that the tests of this package share."""
    yield from lasting_server(request, tmp_path_factory)


@pytest.fixture(scope="package")
def long_run(server: ServerProcess) -> LogBytes:
    """The log of a branch whose only run streamed 2 000 tokens and has ended."""

    async def run() -> LogBytes:
        async with Client(server.url) as client:
            session = await client.session()
            accepted = await client.accepted(session, "/tokens 2000")
            await client.ended(session, accepted["runtimeRunId"])
            return await LogBytes.of(client, session)

    return asyncio.run(run())
