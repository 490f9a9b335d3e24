"""P7: what a server has stored becomes small by itself, and it reads as before, whatever happens meanwhile."""

import asyncio
import random
from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore

Make = Callable[..., ServerProcess]

TOKENS = 1_000
MOST_TIMES_THE_TEXT = 3
MOST_BESIDES = 20 << 10


async def test_p7_a_thousand_deltas_of_an_ended_message_take_little_more_than_their_text(
    make_server: Make, database_url: str
) -> None:
    server, store = make_server(database_url, fold_seconds=0.1).start(), RawStore(database_url)
    async with Client(server.url) as client:
        session = await client.session()
        async with client.feed(session) as feed:
            await client.accepted(session, f"/tokens {TOKENS} 1")
            frames = await feed.until(completed, seconds=60)
        await _until_folded(store)

        lines = await client.log_lines(session)
        texts = [event["text"] for event in await client.log(session) if event["type"] == "TEXT_DELTA"]
        places = random.Random(7).sample(frames, 5)
        rests = [await _rest(client, session, str(frame.id), len(frames) - frames.index(frame)) for frame in places]

    size = await _payload_bytes(store)
    allowed = MOST_TIMES_THE_TEXT * len("".join(texts)) + MOST_BESIDES
    print(f"P7 {size} bytes for {len(texts)} deltas of {len(''.join(texts))} characters, {allowed} allowed")
    assert len(texts) == TOKENS
    assert [frame.data for frame in frames] == lines[-len(frames) :]
    assert [[frame.data for frame in frames[frames.index(place) + 1 :]] for place in places] == rests
    assert size <= allowed


async def test_a_server_killed_while_it_folds_has_lost_and_changed_nothing(
    make_server: Make, database_url: str
) -> None:
    server, store = make_server(database_url, fold_seconds=3600).start(), RawStore(database_url)
    sessions: list[str] = []
    async with Client(server.url) as client:
        for _ in range(12):
            sessions.append(await client.session())
            accepted = await client.accepted(sessions[-1], "/tokens 150 1")
            await client.ended(sessions[-1], accepted["runtimeRunId"])
        before = [await client.log_text(session) for session in sessions]
    server.kill()
    chance, rows = random.Random(8), [await _rows(store)]

    for _ in range(3):
        with make_server(database_url, fold_seconds=0.01) as folding:
            await asyncio.sleep(chance.random() * 0.1)
            folding.kill()
        rows.append(await _rows(store))

    with make_server(database_url, fold_seconds=0.01) as folding:
        await _until_folded(store)
        async with Client(folding.url) as client:
            after = [await client.log_text(session) for session in sessions]
    assert before == after
    assert rows == sorted(rows, reverse=True)
    assert await _rows(store) < rows[0] / 10


async def _until_folded(store: RawStore) -> None:
    patience = Patience()
    async with asyncio.timeout(20):
        while await store.run("SELECT key FROM branches WHERE fold_due > 0"):
            await patience.wait()


async def _rows(store: RawStore) -> int:
    ((count,),) = await store.run("SELECT COUNT(*) FROM events")
    return int(count)


async def _payload_bytes(store: RawStore) -> int:
    """Return what the columns of the log's rows hold, numbers at eight bytes each."""
    ((size,),) = await store.run(
        "SELECT SUM(LENGTH(frames) + LENGTH(tenant) + COALESCE(LENGTH(run_id), 0) + COALESCE(LENGTH(packing), 0) + 40) "
        "FROM events"
    )
    return int(size)


async def _rest(client: Client, session: str, place: str, following: int) -> list[str | None]:
    """Return what a reader who has seen the event at a place gets, one fewer than it and those behind it."""
    if following == 1:
        return []
    async with client.feed(session, last_event_id=place) as feed:
        return [frame.data for frame in await feed.until(completed)]
