"""Readers that come back, at any place and at any moment, get exactly the log from their place on."""

import asyncio
import random
from collections.abc import Iterator

from tests.following.log_bytes import LogBytes
from tests.harness.client import Client
from tests.harness.feed import COMPLETED, Frame, completed

STEP = 37
READERS = 200
CUT_READERS = 32


async def test_a_reader_resumes_at_every_37th_event(client: Client, long_run: LogBytes) -> None:
    places = range(0, len(long_run.lines), STEP)

    async def resume(seq: int) -> bytes:
        async with client.feed(long_run.session, last_event_id=long_run.place(seq)) as feed:
            return await feed.read_through(COMPLETED)

    received = await asyncio.gather(*(resume(seq) for seq in places))

    assert len(received) == 55
    for seq, stream in zip(places, received, strict=True):
        assert stream == long_run.stream_from(seq), f"resumed behind {seq}"


async def test_last_event_id_wins_over_after_and_an_empty_one_is_absent(client: Client, long_run: LogBytes) -> None:
    behind, ahead = long_run.place(1990), long_run.place(2005)

    async with client.feed(long_run.session, after=ahead, last_event_id=behind) as feed:
        by_header = await feed.read_through(COMPLETED)
    async with client.feed(long_run.session, after=ahead, last_event_id="") as feed:
        by_query = await feed.read_through(COMPLETED)
    async with client.feed(long_run.session, after="", last_event_id="") as feed:
        opening = await feed.frame()

    assert by_header == long_run.stream_from(1990)
    assert by_query == long_run.stream_from(2005)
    assert opening == Frame(id=long_run.place(len(long_run.lines)), retry="2000")


async def test_200_readers_that_join_while_it_streams_have_exactly_the_log_from_their_place(client: Client) -> None:
    session = await client.session()
    rng = random.Random(2000)
    accepted = await client.accepted(session, "/tokens 2000 1")
    moments = sorted(rng.randrange(1, 1500) for _ in range(READERS))
    joining = iter(enumerate(moments))

    async def join(place: str | None) -> bytes:
        async with client.feed(session, last_event_id=place) as feed:
            return await feed.read_through(COMPLETED)

    async with client.feed(session, after=accepted["position"]) as lead, asyncio.TaskGroup() as tasks:
        readers: list[asyncio.Task[bytes]] = []
        seen: list[Frame] = []
        number, moment = next(joining)
        while (frame := await lead.event()) is not None and not completed(frame.json):
            seen.append(frame)
            while len(seen) >= moment:
                # Every fifth comes without a position, early enough to find the run alive; the others know a place.
                place = None if number % 5 == 0 and moment < 400 else rng.choice(seen).id
                readers.append(tasks.create_task(join(place)))
                number, moment = next(joining, (0, 10_000))

    log = await LogBytes.of(client, session)
    starts = [_start_of(reader.result()) for reader in readers]
    assert len(readers) == READERS
    assert len(set(starts)) > READERS / 2
    for start, reader in zip(starts, readers, strict=True):
        assert reader.result() == log.stream_from(start), f"joined behind {start}"


async def test_readers_cut_at_random_bytes_come_back_mid_message_and_miss_nothing(client: Client) -> None:
    session = await client.session()
    accepted = await client.accepted(session, "/tokens 500 2")

    async def follow(rng: random.Random) -> tuple[list[Frame], int]:
        kept: list[Frame] = []
        last_id, comebacks = accepted["position"], -1
        while not (kept and COMPLETED in str(kept[-1].data).encode()):
            comebacks += 1
            async with client.feed(session, last_event_id=last_id) as feed:
                kept += [frame for frame in await feed.frames_within(rng.randrange(1, 20_000), COMPLETED) if frame.data]
                last_id = str(feed.last_id)
        return kept, comebacks

    followed = await asyncio.gather(*(follow(random.Random(seed)) for seed in range(CUT_READERS)))

    log = await LogBytes.of(client, session)
    expected = [(log.place(seq), line) for seq, line in enumerate(log.lines[1:], 2)]
    for frames, _ in followed:
        assert [(frame.id, frame.data) for frame in frames] == expected
    assert sum(comebacks for _, comebacks in followed) > CUT_READERS * 3


def _start_of(stream: bytes) -> int:
    opening: Iterator[bytes] = iter(stream.split(b"\n", 2))
    assert next(opening) == b"retry: 2000"
    return int(next(opening).partition(b".")[2])
