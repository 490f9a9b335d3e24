"""What an agent says as chunks for a user interface (docs/reference/worker-protocol.md)."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from events.ids import RunId


class TextStart(Struct, frozen=True, tag_field="type", tag="text-start"):
    """The agent begins to say something."""

    id: str


class TextDelta(Struct, frozen=True, tag_field="type", tag="text-delta"):
    """A piece of it; indices grow, and not always by one."""

    id: str
    delta: str
    index: int


class TextEnd(Struct, frozen=True, tag_field="type", tag="text-end"):
    """That was it."""

    id: str


Chunk = TextStart | TextDelta | TextEnd


class _Line(Struct, frozen=True, rename="camel"):
    """What is looked at of an event."""

    type: str
    message_id: str = ""
    text: str = ""
    turn_id: str | None = None
    index: int | None = None
    runtime_run_id: str | None = None
    metadata: msgspec.Raw | None = None


_encode = msgspec.json.Encoder().encode
_LINE: Final = msgspec.json.Decoder(_Line)
_ENDS: Final = frozenset({"BRANCH_RUN_COMPLETED", "INTERVIEW_COMPLETED"})


class Chunks:
    """Turns a branch's events into chunks, up to the end of an interview; without a run it is that of the first end.

    One that is followed from the middle of what is said begins with the start of it all the same.
    """

    def __init__(self, run_id: RunId | None = None, *, has_begun: bool = True) -> None:
        self.is_over = False
        self._run_id = run_id
        self._has_begun = has_begun
        self._message = ""
        self._id: str | None = None
        self._next = 0

    def of(self, lines: Iterable[bytes]) -> list[Chunk]:
        """Return the chunks that these events are."""
        return [chunk for line in lines for chunk in self._of(_LINE.decode(line))]

    def _of(self, line: _Line) -> Iterator[Chunk]:
        if line.type == "BRANCH_RUN_STARTED" and line.runtime_run_id == self._run_id:
            self._has_begun = True
        if self.is_over or not self._has_begun or line.metadata is not None:
            return
        if line.type == "TEXT_DELTA":
            yield from self._said(line)
        elif line.type == "TEXT_MESSAGE_END" and line.message_id == self._message:
            yield from self._end()
        elif line.type in _ENDS and line.runtime_run_id in {None, self._run_id or line.runtime_run_id}:
            self.is_over = True
            yield from self._end()

    def _said(self, line: _Line) -> Iterator[Chunk]:
        if line.message_id != self._message or self._id is None:
            yield from self._end()
            self._message, self._id, self._next = line.message_id, line.turn_id or line.message_id, 0
            yield TextStart(self._id)
        index = self._next if line.index is None else line.index
        self._next = index + 1
        yield TextDelta(self._id, line.text, index)

    def _end(self) -> Iterator[Chunk]:
        if self._id is not None:
            yield TextEnd(self._id)
            self._id = None


def framed(chunks: Iterable[Chunk]) -> bytes:
    """Return chunks as lines of server-sent events."""
    return b"".join(b"data: %b\n\n" % _encode(chunk) for chunk in chunks)
