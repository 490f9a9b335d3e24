"""Events as bytes: encoded once without a place, numbered when they get one, decoded in two steps.

EnvelopeRefused
+-- UnknownType       no `type`, or one that is not in the catalog
+-- MemberRefused     a member is missing or has the wrong type
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from events.catalog import Catalog
from events.event import Channel, Direction, Envelope, Event, Kind
from events.ids import BranchId, SessionId
from events.inputs import Input
from events.interactions import Response
from events.position import Position

_encode = msgspec.json.Encoder().encode
_GIVEN_BY_LOG = {"event_id": None, "sequence_number": None, "timestamp": None, "session_id": None, "branch_id": None}
_USUAL = Envelope()
_SAME, _NEXT = timedelta(), timedelta(milliseconds=1)
_LINE_FEED, _CARRIAGE_RETURN = b"\n\r"


class EnvelopeRefused(Exception):
    """An envelope from a client cannot be taken; the sentence says what is wrong with it."""


class UnknownType(EnvelopeRefused):
    """The envelope's `type` is missing or unknown."""


class MemberRefused(EnvelopeRefused):
    """A member is missing or has the wrong type."""


class Encoded(NamedTuple):
    """An event as bytes that lack only its place: `head` ends where the event id begins, `rest` follows the number."""

    head: bytes
    rest: bytes

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly: the place is not counted."""
        return len(self.head) + len(self.rest)


class Stamp:
    """What every event of one branch says of where and when it happened.

    Times are kept to the millisecond: what happens within one is written with the same time, which is written once.
    """

    __slots__ = ("_scope", "_since", "_text")

    def __init__(self, session_id: SessionId, branch_id: BranchId) -> None:
        self._scope = b'","sessionId":%b,"branchId":%b' % (_encode(session_id), _encode(branch_id))
        self._since: datetime | None = None
        self._text = b""

    def at(self, now: datetime) -> bytes:
        """Return the members `timestamp`, `sessionId`, `branchId` as JSON text without braces."""
        if self._since is None or not _SAME <= now - self._since < _NEXT:
            self._since = now
            self._text = b'"timestamp":"%b%b' % (timestamp_text(now).encode(), self._scope)
        return self._text


class Serializer:
    """Turns events into bytes and back, by one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._heads: dict[type[Event], tuple[bytes, bytes]] = {}
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}

    def encode(self, event: Event, stamp: bytes) -> Encoded:
        """Encode an event that is to be numbered later; `stamp` comes from `Stamp.at`.

        Raises:
            NotAnEvent: the event's class is not in the catalog.
        """
        head, common = self._heads.get(type(event)) or self._head_of(type(event))
        return Encoded(head, stamp + common + _payload(event))

    def encode_unplaced(self, event: Event, stamp: bytes) -> bytes:
        """Encode an event that never has a place in the log (control frames)."""
        name = _encode(self.catalog.name_of(type(event)))
        _, common = self._heads.get(type(event)) or self._head_of(type(event))
        return b'{"version":"1.0","type":%b,%b%b%b' % (name, stamp, common, _payload(event))

    def decode(self, data: bytes) -> Event | None:
        """Decode a logged event; None when its type is not in the catalog.

        Raises:
            MemberRefused: the bytes do not fit the class.
        """
        cls = self.catalog.named(_peek(data))
        if cls is None or not issubclass(cls, Event):
            return None
        event: Event = self._typed(cls, data)
        return event

    def decode_input(self, data: bytes, wire_type: str) -> Input:
        """Decode an input envelope whose bytes have passed `strict.members`.

        Raises:
            UnknownType: no such type, or it names no input.
            MemberRefused: a member is missing or wrong.
        """
        cls = self.catalog.named(wire_type)
        if cls is None:
            raise UnknownType(f"There is no event type {wire_type[:100]!r}.")
        if not issubclass(cls, Input):
            raise UnknownType(f"{wire_type[:100]} is not an input.")
        read: Input = self._typed(cls, data)
        return read

    def decode_response(self, data: bytes, wire_type: str) -> Response:
        """Decode the envelope of an answer whose bytes have passed `strict.members`.

        Raises:
            UnknownType: no such type, or it names no response.
            MemberRefused: a member is missing or wrong.
        """
        cls = self.catalog.named(wire_type)
        if cls is None:
            raise UnknownType(f"There is no event type {wire_type[:100]!r}.")
        if not issubclass(cls, Response):
            raise UnknownType(f"{wire_type[:100]} is not a response.")
        read: Response = self._typed(cls, data)
        return read

    def _typed(self, cls: type, data: bytes) -> Any:
        decoder = self._decoders.get(cls)
        if decoder is None:
            decoder = self._decoders[cls] = msgspec.json.Decoder(cls)
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MemberRefused(f"{error}.") from error

    def _head_of(self, cls: type[Event]) -> tuple[bytes, bytes]:
        name = _encode(self.catalog.name_of(cls))
        pieces = (b'{"version":"1.0","type":%b,"eventId":"' % name, _common_members(cls.envelope))
        self._heads[cls] = pieces
        return pieces


def number(events: Iterable[Encoded], first: Position) -> list[bytes]:
    """Give each event its place, counting up from `first`; the result is what is stored and sent."""
    epoch = first.epoch.encode()
    return [
        b'%b%b.%d","sequenceNumber":%d,%b' % (event.head, epoch, seq, seq, event.rest)
        for seq, event in enumerate(events, first.seq)
    ]


def join(lines: Sequence[bytes]) -> bytes:
    """Join numbered events into what one row of the log holds; JSON text has no line feed of its own."""
    return b"\n".join(lines)


def split(frames: bytes) -> list[bytes]:
    """Undo `join`."""
    return frames.split(b"\n")


def timestamp_text(now: datetime) -> str:
    """Write a time as RFC 3339 in UTC with six digits, so that texts sort as times do."""
    in_utc = now if now.tzinfo is UTC else now.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[:-6] + "Z"


class _Head(msgspec.Struct, gc=False):
    type: str


_peek_head = msgspec.json.Decoder(_Head).decode


def _peek(data: bytes) -> str:
    try:
        return _peek_head(data).type
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MemberRefused(f"{error}.") from error


def _payload(event: Event) -> bytes:
    if _has_place(event):
        event = msgspec.structs.replace(event, **_GIVEN_BY_LOG)
    body = _encode(event)
    if _LINE_FEED in body or _CARRIAGE_RETURN in body:
        # Only a Raw member brings these along; they would end the line of the log and of the stream.
        body = msgspec.json.format(body, indent=-1)
    return b"}" if body == b"{}" else b"," + body[1:]


def _has_place(event: Event) -> bool:
    return (
        event.event_id is not None
        or event.timestamp is not None
        or event.session_id is not None
        or event.branch_id is not None
        or event.sequence_number is not None
    )


def _common_members(envelope: Envelope) -> bytes:
    members: dict[str, Channel | Kind | Direction | bool] = {}
    if envelope.channel is not _USUAL.channel:
        members["channel"] = envelope.channel
    if envelope.kind is not _USUAL.kind:
        members["kind"] = envelope.kind
    if envelope.direction is not _USUAL.direction:
        members["direction"] = envelope.direction
    if envelope.can_interrupt is not _USUAL.can_interrupt:
        members["canInterrupt"] = envelope.can_interrupt
    return b"," + _encode(members)[1:-1] if members else b""
