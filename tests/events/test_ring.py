"""A ring never hands out a hole and never holds more than its bounds, whatever comes in whatever order."""

import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from events.ring import Ring

MAX_EVENTS = 8
MAX_BYTES = 60


def frame(seq: int) -> bytes:
    """Return the frame of an event: its number, and a size that varies."""
    return b"<%d%b>" % (seq, b"." * (seq * 7 % 11))


def frames(first: int, count: int) -> list[bytes]:
    """Return consecutive frames."""
    return [frame(seq) for seq in range(first, first + count)]


class RingAgainstAList(RuleBasedStateMachine):
    """The model knows what the ring was told; the ring may know less, but nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.start = 5
        self.ring = Ring(self.start, max_events=MAX_EVENTS, max_bytes=MAX_BYTES)
        self.head = self.start
        self.told: set[int] = set()
        self.newest = 0

    @rule(count=st.integers(1, 12))
    def append_the_next(self, count: int) -> None:
        oldest_before = self.ring.base

        news = self.ring.append(self.head + 1, frames(self.head + 1, count))

        assert news
        assert self.ring.base >= oldest_before
        self.told |= set(range(self.head + 1, self.head + count + 1))
        self.head += count
        self.newest = count

    @rule(back=st.integers(0, 20), data=st.data())
    def append_what_is_known(self, back: int, data: st.DataObject) -> None:
        first = max(1, self.head - back)
        count = data.draw(st.integers(1, self.head - first + 1))
        before = (self.ring.base, self.ring.after(self.ring.base))

        news = self.ring.append(first, frames(first, count))

        assert not news
        assert (self.ring.base, self.ring.after(self.ring.base)) == before

    @rule(gap=st.integers(1, 9), count=st.integers(1, 12))
    def append_after_a_gap(self, gap: int, count: int) -> None:
        first = self.head + 1 + gap

        news = self.ring.append(first, frames(first, count))

        assert news
        assert self.ring.base >= first - 1
        self.told = set(range(first, first + count))
        self.head = first + count - 1
        self.newest = count

    @rule(overlap=st.integers(1, 6), count=st.integers(1, 6))
    def append_what_is_known_and_more(self, overlap: int, count: int) -> None:
        first = max(1, self.head + 1 - overlap)
        many = self.head + count - first + 1

        news = self.ring.append(first, frames(first, many))

        assert news
        # What it held before is the store's to tell, if the ring chose to begin anew.
        self.told = set(range(first, first + many))
        self.head += count
        self.newest = many

    @rule(by=st.integers(-3, 5))
    def advance(self, by: int) -> None:
        news = self.ring.advance(self.head + by)

        assert (by > 0) == news
        if news:
            self.head += by
            self.told = set()
            self.newest = 0

    @rule(behind=st.integers(-2, 30))
    def read(self, behind: int) -> None:
        cursor = self.head - behind

        chunk = self.ring.after(cursor)

        served = self.ring.base <= cursor
        expected = b"".join(frames(cursor + 1, self.head - cursor)) if cursor < self.head else b""
        assert chunk == (expected if served else None)

    @invariant()
    def it_is_at_the_head(self) -> None:
        assert self.head == self.ring.head

    @invariant()
    def it_holds_only_what_it_was_told(self) -> None:
        assert set(range(self.ring.base + 1, self.head + 1)) <= self.told

    @invariant()
    def it_keeps_its_bounds_but_for_the_last_append(self) -> None:
        held = self.head - self.ring.base
        size = len(self.ring.after(self.ring.base) or b"")
        assert held <= max(MAX_EVENTS, self.newest)
        assert size <= MAX_BYTES or held <= max(1, self.newest)

    @invariant()
    def it_holds_what_fits(self) -> None:
        held = self.head - self.ring.base
        before = self.ring.base
        if held and before in self.told and held < MAX_EVENTS:
            assert sum(map(len, frames(before, held + 1))) > MAX_BYTES


RingAgainstAList.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
test_a_ring_tells_what_a_list_would_tell = RingAgainstAList.TestCase


def test_readers_at_one_place_share_one_chunk() -> None:
    ring = Ring(0)
    ring.append(1, frames(1, 5))

    assert ring.after(2) is ring.after(2)


def test_chunks_for_many_places_of_a_quiet_branch_stay_bounded() -> None:
    ring = Ring(0, max_events=100, max_bytes=1_000_000)
    ring.append(1, [b"." * 10_000 for _ in range(100)])
    tracemalloc.start()

    read = sum(len(ring.after(cursor) or b"") for cursor in range(100))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read == 10_000 * sum(range(1, 101))
    assert kept < 1_100_000


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_single_event_beyond_the_bounds_is_still_handed_out(size: int) -> None:
    ring = Ring(0, max_events=1, max_bytes=1)

    ring.append(1, [b"a" * size])
    ring.append(2, [b"b" * size])

    assert b"b" * size == ring.after(1)
    assert ring.after(0) is None
