"""Commit, then publish, then acknowledge: what is not in the log yet is seen by nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hosting.settings import Settings
from tests.following.gate import Gate, PostgresGate, SqliteGate
from tests.following.inside import serving
from tests.harness.client import Client
from tests.harness.feed import Feed, Frame
from tests.harness.raw_store import RawStore

HEARTBEAT_SECONDS = 0.05
BEATS = 4
HOLDS = 8


async def test_while_the_commit_of_an_input_is_held_no_reader_gets_anything_and_nobody_is_answered(
    database_url: str,
) -> None:
    store = RawStore(database_url)
    async with _gated(database_url) as (client, gate):
        session = await client.session()
        async with client.feed(session) as reader:
            opening = await reader.frame()
            await gate.shut()
            post = asyncio.create_task(client.accepted(session, "Hi"))
            await gate.held()

            while_held = await _beats(reader)
            answered_while_held, head_while_held = post.done(), await store.head(session)
            await gate.open()
            first = await reader.event()
            head_when_seen = await store.head(session)
            accepted = await post

    assert opening is not None
    assert [(frame.id, frame.data) for frame in while_held] == [(opening.id, None)] * BEATS
    assert (answered_while_held, head_while_held) == (False, 1)
    assert first is not None
    assert (first.json["type"], first.json["sequenceNumber"]) == ("BRANCH_RUN_STARTED", 2)
    assert first.json["runtimeRunId"] == accepted["runtimeRunId"]
    assert head_when_seen >= 5


async def test_while_a_commit_of_a_run_is_held_its_readers_stand_at_the_head_of_the_log(database_url: str) -> None:
    store = RawStore(database_url)
    async with _gated(database_url) as (client, gate):
        session = await client.session()
        # More than the agent may be ahead of the log in all the holds together, however long each takes.
        accepted = await client.accepted(session, "/tokens 5000 2")
        async with client.feed(session, after=accepted["position"]) as reader:
            for _ in range(HOLDS):
                await reader.until(lambda event: event["type"] == "TEXT_DELTA")
                await gate.shut()
                await gate.held()

                committed = await store.head(session)
                seen = await _seen_while_held(reader)
                late = await _opening_of_a_reader(client, session)
                still_committed = await store.head(session)
                await gate.open()

                assert seen == late == committed == still_committed


@asynccontextmanager
async def _gated(database_url: str) -> AsyncIterator[tuple[Client, Gate]]:
    gate: SqliteGate | PostgresGate = SqliteGate() if database_url.startswith("sqlite") else PostgresGate(database_url)
    # The sweep writes too; it must not be what the gate holds. The lease outlives what a held commit may take.
    settings = Settings(
        database_url=database_url, heartbeat_seconds=HEARTBEAT_SECONDS, sweep_seconds=3600, lease_seconds=60
    )
    on_connect = gate.on_connect if isinstance(gate, SqliteGate) else None
    async with serving(settings, on_connect) as (base, _), Client(base) as client:
        await gate.prepare()
        try:
            yield client, gate
        finally:
            await gate.dismantle()


async def _beats(reader: Feed) -> list[Frame]:
    """Return what a reader gets in the time of some heartbeats: they show that it was served all the while."""
    frames: list[Frame] = []
    async with asyncio.timeout(10):
        while sum(bool(frame.comments) for frame in frames) < BEATS and (frame := await reader.frame()) is not None:
            frames.append(frame)
    return frames


async def _seen_while_held(reader: Feed) -> int:
    return int(str((await _beats(reader))[-1].id).split(".")[1])


async def _opening_of_a_reader(client: Client, session: str) -> int:
    async with client.feed(session) as feed:
        opening = await feed.frame()
    assert opening is not None
    return int(str(opening.id).split(".")[1])
