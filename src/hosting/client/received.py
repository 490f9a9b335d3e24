"""An event as a client gets it."""

from dataclasses import dataclass

from events.event import Event
from events.serializer import EnvelopeRefused, Serializer


@dataclass(frozen=True, slots=True)
class Received:
    """One event of a branch's log.

    `position` is its place, from which a follower can go on; `line` is its JSON as the server sent it.
    `event` is None when the client's catalog does not know the type, or knows an older form of it.
    """

    position: str
    line: str
    event: Event | None

    @classmethod
    def read(cls, serializer: Serializer, position: str, line: str) -> "Received":
        """Decode an event as far as the serializer's catalog knows it."""
        try:
            return cls(position, line, serializer.decode(line.encode()))
        except EnvelopeRefused:
            return cls(position, line, None)
