"""What the server frames a client reads, wherever the network cuts it; a second parser agrees."""

import json
from collections.abc import Iterator
from itertools import pairwise

import httpx
import httpx_sse
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import sse
from events.position import Position
from events.sse import ServerSentEvent, SseParser
from tests.events.generated import JSON

PLACES = st.builds(Position, st.text("0123456789abcdef", min_size=12, max_size=12), st.integers(0, 10**17))
DATA = JSON.map(lambda value: json.dumps({"type": "X", "value": value}, ensure_ascii=False))
RETRIES = st.integers(0, 10**6)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[bytes, ServerSentEvent]:
    """Draw one block as the server writes it, with what a client must read."""
    place, data, retry = draw(PLACES), draw(DATA), draw(RETRIES)
    kinds = {
        "frame": (sse.frame(place, data.encode()), ServerSentEvent(data, str(place), None)),
        "opening": (sse.opening(place, retry), ServerSentEvent(None, str(place), retry)),
        "heartbeat": (sse.heartbeat(place), ServerSentEvent(None, str(place), None)),
        "closing": (sse.unplaced(data.encode(), retry), ServerSentEvent(data, None, retry)),
        "reset": (sse.unplaced(data.encode()), ServerSentEvent(data, None, None)),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream into pieces."""
    borders = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(borders)]


@given(st.lists(blocks(), max_size=6), st.lists(st.integers(0, 10**6), max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_stream_is_read_as_it_was_written_wherever_it_is_cut(
    written: list[tuple[bytes, ServerSentEvent]], places: list[int]
) -> None:
    parser = SseParser()

    read = [block for piece in cut(b"".join(part for part, _ in written), places) for block in parser.feed(piece)]

    assert [block for _, block in written] == read


@given(st.lists(blocks(), max_size=6), st.lists(st.integers(0, 10**6), max_size=12))
@settings(max_examples=150, deadline=None)
def test_another_parser_reads_the_same(written: list[tuple[bytes, ServerSentEvent]], places: list[int]) -> None:
    stream = b"".join(part for part, _ in written)

    read = second_opinion(stream, places)

    expected: list[tuple[str, str]] = []
    last_id = ""
    for _, block in written:
        last_id = block.id if block.id is not None else last_id
        if block.data is not None:
            expected.append((last_id, block.data))
    assert expected == [(event.id, event.data) for event in read if event.data]


def second_opinion(stream: bytes, places: list[int]) -> list[httpx_sse.ServerSentEvent]:
    """Read a stream with httpx-sse."""
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, stream=Pieces(cut(stream, places)))
    return list(httpx_sse.EventSource(response).iter_sse())


class Pieces(httpx.SyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


@given(PLACES, st.lists(DATA, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_frames_of_many_are_the_frames_of_each(first: Position, data: list[str]) -> None:
    lines = [text.encode() for text in data]

    framed = sse.frames(first, lines)

    places = [Position(first.epoch, first.seq + index) for index in range(len(lines))]
    assert [sse.frame(place, line) for place, line in zip(places, lines, strict=True)] == framed


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_parser_reads_the_same_however_the_bytes_come(stream: bytes, places: list[int]) -> None:
    readable = stream.decode("utf-8", "ignore").encode()
    parser = SseParser()

    read = [block for piece in cut(readable, places) for block in parser.feed(piece)]

    assert SseParser().feed(readable) == read


@pytest.mark.parametrize(
    ("block", "read"),
    [
        (b"data: a\ndata: b\n\n", ServerSentEvent("a\nb", None, None)),
        (b"data:a\n\n", ServerSentEvent("a", None, None)),
        (b"data:  a\n\n", ServerSentEvent(" a", None, None)),
        (b"data\n\n", ServerSentEvent("", None, None)),
        (b"id: 1\nid: 2\ndata: a: b\n\n", ServerSentEvent("a: b", "2", None)),
        (b"retry: soon\ndata: a\n\n", ServerSentEvent("a", None, None)),
        (b"retry: -1\ndata: a\n\n", ServerSentEvent("a", None, None)),
        (b"unknown: x\ndata: a\n\n", ServerSentEvent("a", None, None)),
        (b": only a comment\n\n", ServerSentEvent(None, None, None)),
    ],
)
def test_the_lines_of_a_block_are_read_by_the_rules_of_the_whatwg(block: bytes, read: ServerSentEvent) -> None:
    assert [read] == SseParser().feed(block)


def test_what_is_not_whole_yet_is_kept_back() -> None:
    parser = SseParser()

    assert parser.feed(b"data: a\n") == []
    assert parser.feed(b"\n") == [ServerSentEvent("a", None, None)]


def test_the_bytes_of_each_block_are_these() -> None:
    place = Position("3f9a1c07b2de", 42)

    assert sse.opening(place, 2000) == b"retry: 2000\nid: 3f9a1c07b2de.42\n\n"
    assert sse.frame(place, b"{}") == b"id: 3f9a1c07b2de.42\ndata: {}\n\n"
    assert sse.heartbeat(place) == b": heartbeat\nid: 3f9a1c07b2de.42\n\n"
    assert sse.unplaced(b"{}", 500) == b"retry: 500\ndata: {}\n\n"
    assert sse.unplaced(b"{}") == b"data: {}\n\n"


@given(PLACES, st.lists(DATA, max_size=20))
@settings(max_examples=200, deadline=None)
def test_what_was_framed_is_taken_out_of_its_frames_again(first: Position, data: list[str]) -> None:
    lines = [line.encode() for line in data]

    taken_out = list(sse.each_data(b"".join(sse.frames(first, lines))))

    assert taken_out == lines
