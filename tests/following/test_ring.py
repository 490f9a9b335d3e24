"""The ring's promises of memory: what it shares between readers is bounded too."""

import tracemalloc

from events.ring import Ring

MAX_BYTES = 100_000


def test_readers_that_come_back_at_every_place_do_not_leave_a_chunk_each() -> None:
    ring = Ring(0, max_events=1000, max_bytes=MAX_BYTES)
    frames = [b"%099d\n" % seq for seq in range(1, 1001)]
    ring.append(1, frames)

    tracemalloc.start()
    received = [ring.after(cursor) == b"".join(frames[cursor:]) for cursor in range(1000)]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert all(received)
    assert kept < 2 * MAX_BYTES


def test_readers_at_one_place_share_one_chunk() -> None:
    ring = Ring(0)
    ring.append(1, [b"a\n", b"b\n", b"c\n"])

    chunks = [ring.after(1) for _ in range(3)]

    assert chunks[0] == b"b\nc\n"
    assert chunks[0] is chunks[1] is chunks[2]


def test_a_chunk_grows_stale_with_the_next_append() -> None:
    ring = Ring(0)
    ring.append(1, [b"a\n"])
    before = ring.after(0)

    ring.append(2, [b"b\n"])

    assert (before, ring.after(0)) == (b"a\n", b"a\nb\n")
