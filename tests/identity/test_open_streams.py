"""Streams that are open when a key is revoked."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from hosting.domain.identity import Role
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.identity.office import Office


@pytest.fixture(scope="module")
def quick_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server that looks often at who follows."""
    folder = tmp_path_factory.mktemp("streams")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", heartbeat_seconds=0.2) as server:
        yield Office(server, folder / "test.db.keys")


@pytest.fixture
async def known(quick_office: Office) -> AsyncIterator[tuple[Client, str, str]]:
    """A client that shows a key, the id of that key, and a session of its own."""
    async with known_at(quick_office) as known:
        yield known


@asynccontextmanager
async def known_at(office: Office) -> AsyncIterator[tuple[Client, str, str]]:
    """Make the same at another server."""
    made, key = await office.known_key("acme", Role.USER)
    async with Client(office.server.url) as client:
        client.http.headers["Authorization"] = f"Bearer {key}"
        yield client, made.id, await client.session()


async def test_a_live_feed_ends_soon_after_its_key_was_revoked_and_cannot_be_taken_up_again(
    quick_office: Office, known: tuple[Client, str, str]
) -> None:
    client, key_id, session = known
    path = f"{client.path(session)}/events/live"
    async with asyncio.timeout(20), client.http.stream("GET", path) as response:
        lines = response.aiter_lines()
        first = await anext(lines)
        async with quick_office.keys() as keys:
            await keys.revoke(key_id, datetime.now(UTC))

        last = [line async for line in lines if line.startswith("data:")]

    assert first == "retry: 2000"
    assert [each["reason"] for each in map(said, last)] == ["expired"]
    assert "retryMs" not in said(last[0])
    assert (await client.http.get(path)).status_code == 401


async def test_a_live_feed_whose_key_is_good_goes_on(known: tuple[Client, str, str]) -> None:
    client, _, session = known
    async with asyncio.timeout(20), client.http.stream("GET", f"{client.path(session)}/events/live") as response:
        beats = 0
        async for line in response.aiter_lines():
            assert "STREAM_CLOSING" not in line
            beats += line.startswith(":")
            if beats == 5:
                break

    assert beats == 5


async def test_an_idle_websocket_ends_soon_after_its_key_was_revoked(
    quick_office: Office, known: tuple[Client, str, str]
) -> None:
    client, key_id, session = known
    async with asyncio.timeout(20), connect(socket_url(client, session), additional_headers=shown(client)) as socket:
        async with quick_office.keys() as keys:
            await keys.revoke(key_id, datetime.now(UTC))

        closing = json.loads(await socket.recv())
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()

    assert (closing["type"], closing["reason"]) == ("STREAM_CLOSING", "expired")
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "unauthenticated")


async def test_what_comes_by_a_websocket_after_its_key_was_revoked_is_not_done(sqlite_office: Office) -> None:
    # At this server nobody looks for ten seconds, unless something comes.
    async with asyncio.timeout(20), known_at(sqlite_office) as (client, key_id, session):
        async with connect(socket_url(client, session), additional_headers=shown(client)) as socket:
            async with sqlite_office.keys() as keys:
                await keys.revoke(key_id, datetime.now(UTC))
            before = await client_log(sqlite_office, session)

            await socket.send('{"type":"USER_TEXT_INPUT","text":"hello"}')
            closing = json.loads(await socket.recv())
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()

    assert closing["reason"] == "expired"
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "unauthenticated")
    assert await client_log(sqlite_office, session) == before


async def client_log(office: Office, session: str) -> list[dict[str, Any]]:
    """Return the log of a session, as another key of its tenant sees it."""
    async with Client(office.server.url) as client:
        client.http.headers["Authorization"] = f"Bearer {await office.key('acme', Role.USER)}"
        return await client.log(session)


def socket_url(client: Client, session: str) -> str:
    """Return where the WebSocket of a session's branch `main` is."""
    return f"{client.base.replace('http', 'ws', 1)}{client.path(session)}/ws"


def shown(client: Client) -> httpx.Headers:
    """Return what a client shows."""
    return httpx.Headers({"Authorization": client.http.headers["Authorization"]})


def said(line: str) -> dict[str, Any]:
    """Return what a line of data says."""
    members: dict[str, Any] = json.loads(line.removeprefix("data:"))
    return members
