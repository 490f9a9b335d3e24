"""An upload that does not come to its end leaves nothing; one that was answered stays, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable

from tests.content.conftest import OF_SESSION
from tests.content.upload import PIECE, Upload, digest, pieces_of, upload
from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore

MEBIBYTE = 1 << 20


async def all_chunks(store: RawStore) -> int:
    """Return how many chunks are stored of anything."""
    return int((await store.run("SELECT count(*) FROM content_chunks"))[0][0])


async def until_none_is_half(store: RawStore, session: str) -> None:
    """Wait until nothing is known of what was not whole."""
    patience = Patience()
    async with asyncio.timeout(20):
        while await store.run("SELECT id FROM contents WHERE sha256 IS NULL AND session_id = ?", session):
            await patience.wait()


async def begin(sending: Upload, path: str, store: RawStore, session: str, size: int) -> AsyncIterator[bytes]:
    """Send so much of a file of 8 MiB that a part of it is stored, and return the rest of it."""
    await sending.head(path, length=8 * MEBIBYTE)
    pieces = pieces_of(8 * MEBIBYTE)
    for _ in range(0, size, PIECE):
        await sending.send(await anext(pieces))
    patience = Patience()
    async with asyncio.timeout(20):
        while not await store.run("SELECT id FROM contents WHERE session_id = ?", session):
            await patience.wait()
    return pieces


async def test_an_upload_whose_connection_breaks_leaves_nothing_and_gives_its_room_back(
    content_server: ServerProcess, content_client: Client
) -> None:
    session, store = await content_client.session(), RawStore(content_server.database_url)
    path = f"/sessions/{session}/content"

    async with Upload(content_server.url) as sending:
        await begin(sending, path, store, session, 3 * MEBIBYTE)
        seen = (await content_client.http.get(path)).json()
        sending.cut()
    await until_none_is_half(store, session)
    whole = await upload(content_server.url, path, OF_SESSION - (64 << 10))

    assert seen == []
    assert whole.status == 201, whole.body
    assert len((await content_client.http.get(path)).json()) == 1


async def test_an_upload_that_pauses_too_long_is_told_and_a_slow_one_is_taken(
    content_server: ServerProcess, content_client: Client
) -> None:
    session, store = await content_client.session(), RawStore(content_server.database_url)
    path = f"/sessions/{session}/content"

    async with Upload(content_server.url) as pausing, Upload(content_server.url) as slow:
        await begin(pausing, path, store, session, 2 * MEBIBYTE)
        told = asyncio.create_task(pausing.answer())
        await slow.head(path)
        pieces = [piece async for piece in pieces_of(2 * MEBIBYTE)]
        for piece in pieces:
            await slow.send(piece)
            await asyncio.sleep(0.1)
        await slow.end()
        taken, refused = await slow.answer(), await told
    await until_none_is_half(store, session)

    assert (refused.status, refused.code) == (408, "request-timeout")
    assert (taken.status, taken.json["version"]) == (201, await digest(pieces_of(2 * MEBIBYTE)))
    assert [each["contentId"] for each in (await content_client.http.get(path)).json()] == [taken.json["contentId"]]


async def test_a_session_that_is_deleted_during_an_upload_takes_it_along(
    content_server: ServerProcess, content_client: Client
) -> None:
    session, store = await content_client.session(), RawStore(content_server.database_url)

    async with Upload(content_server.url) as sending:
        rest = await begin(sending, f"/sessions/{session}/branches/main/content", store, session, 2 * MEBIBYTE)
        deleted = await content_client.http.delete(f"/sessions/{session}")
        answering = asyncio.create_task(sending.answer())
        async for piece in rest:
            if answering.done():
                break
            await sending.send(piece)
        if not answering.done():
            await sending.end()
        answer = await answering

    assert deleted.status_code == 204
    assert (answer.status, answer.code) == (404, "session-not-found")
    assert await store.run("SELECT id FROM contents WHERE session_id = ?", session) == []


async def test_what_was_answered_survives_kill_9_and_what_was_not_is_gone(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server, store = make_server(database_url).start(), RawStore(database_url)
    async with Client(server.url) as client:
        session = await client.session()
        path = f"/sessions/{session}/branches/main/content"
        async with Upload(server.url) as sending:
            await begin(sending, path, store, session, 5 * MEBIBYTE)
            kept = [await upload(server.url, path, size, seed) for seed, size in enumerate((5, 3 * MEBIBYTE + 1))]
            server.kill()
    chunks = await all_chunks(store)

    server.start()
    async with Client(server.url) as client:
        listed = (await client.http.get(path)).json()
        read = [await client.http.get(f"{path}/{each['contentId']}") for each in listed]
        sizes = [len(each.content) for each in read]
        patience = Patience()
        async with asyncio.timeout(20):
            while server.database_url.startswith("sqlite") and await all_chunks(store) != 1 + 13:
                await patience.wait()

    assert [each["contentId"] for each in listed] == [each.json["contentId"] for each in kept]
    assert sizes == [5, 3 * MEBIBYTE + 1]
    assert [each["version"] for each in listed] == [
        await digest(pieces_of(size, seed)) for seed, size in enumerate((5, 3 * MEBIBYTE + 1))
    ]
    assert chunks > 1 + 13
