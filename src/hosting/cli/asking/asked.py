"""A question of a run, as far as this client knows it."""

import asyncio
from dataclasses import dataclass
from typing import Self

import msgspec

from events.event import Channel, Direction, Kind
from events.interactions import AgentRequestCancelled, AgentRequestExpired, Request, Response
from hosting.cli.nesting import Nesting
from hosting.client import Received


@dataclass(eq=False, slots=True)
class Asked:
    """An open question; `request` is None when it is of a kind that only other clients know.

    `end` has its result when it is settled without this client: a sentence that says how.
    """

    key: str
    type: str
    line: str
    nesting: Nesting
    request: Request | None
    end: asyncio.Future[str]
    told: bool = False

    @classmethod
    def by(cls, received: Received) -> Self | None:
        """Return the question that an event asks; None when it asks nothing."""
        event, loop = received.event, asyncio.get_running_loop()
        if event is None:
            head = _head(received.line)
            if not head.asks:
                return None
            nesting = Nesting.of(head.metadata)
            return cls(head.request_id, head.type, received.line, nesting, None, loop.create_future())
        if not isinstance(event, Request):
            return None
        nesting = Nesting.of(event.metadata)
        return cls(event.request_key, event.wire_type, received.line, nesting, event, loop.create_future())


def settled_by(received: Received) -> str | None:
    """Return the id of the question that an event settles; None when it settles none."""
    event = received.event
    if isinstance(event, Response):
        return event.request_key
    if isinstance(event, AgentRequestExpired | AgentRequestCancelled):
        return event.request_id
    if event is None and (head := _head(received.line)).answers:
        return head.request_id
    return None


class _Head(msgspec.Struct, rename="camel", gc=False):
    """What the events of unknown types are told by."""

    type: str = ""
    channel: str = ""
    kind: str = Kind.CONTENT
    direction: str = Direction.DOWNSTREAM
    request_id: str = ""
    metadata: dict[str, object] | None = None

    @property
    def asks(self) -> bool:
        return self._interacts and self.direction == Direction.DOWNSTREAM

    @property
    def answers(self) -> bool:
        return self._interacts and self.direction == Direction.UPSTREAM

    @property
    def _interacts(self) -> bool:
        return self.channel == Channel.INTERACTIVE and self.kind == Kind.CONTENT and bool(self.request_id)


def _head(line: str) -> _Head:
    try:
        return msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError:
        return _Head()
