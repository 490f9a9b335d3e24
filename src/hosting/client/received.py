"""An event as a client gets it."""

from dataclasses import dataclass

from events.event import Event


@dataclass(frozen=True, slots=True)
class Received:
    """One event of a branch's log.

    `position` is its place, from which a follower can go on; `line` is its JSON as the server sent it.
    `event` is None when the client's catalog does not know the type, or knows an older form of it.
    """

    position: str
    line: str
    event: Event | None
