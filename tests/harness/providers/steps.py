"""What a scripted answer is made of."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """Says a piece of text."""

    piece: str


@dataclass(frozen=True)
class Reason:
    """Thinks a piece aloud; Anthropic signs the whole thought with the signature of its last piece."""

    piece: str
    signature: str | None = None


@dataclass(frozen=True)
class Hold:
    """Says nothing until the test sets the event; one of its own never comes, so the answer stalls here."""

    until: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, init=False)
class Call:
    """Calls a tool, its arguments in fragments, which a Hold may part."""

    name: str
    fragments: Sequence[str | Hold]
    id: str | None
    repeats_name: bool

    def __init__(self, name: str, *fragments: str | Hold, id: str | None = None, repeats_name: bool = False) -> None:  # noqa: A002 - the wire's word
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fragments", fragments or ("{}",))
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "repeats_name", repeats_name)


@dataclass(frozen=True)
class Spent:
    """Says what the call has cost; told with the end, where the wire has it. Input includes what was cached."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Finish:
    """Says why the answer ends, in the wire's own word; without it, `stop` or its like, or that tools are called."""

    reason: str


@dataclass(frozen=True)
class Begin:
    """Sends the head, and whatever a wire begins with; else that comes with the first piece."""


@dataclass(frozen=True)
class Status:
    """Answers with a status and a body instead of a stream; the body of None is the wire's own form of an error."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    message: str = "scripted"


@dataclass(frozen=True)
class Broken:
    """Tells an error inside of a stream that has begun, in the wire's own form."""

    message: str = "overloaded"
    type: str = "overloaded_error"


@dataclass(frozen=True)
class Raw:
    """Sends these bytes in the body of the stream as they are."""

    data: bytes


@dataclass(frozen=True)
class Bare:
    """Sends these bytes on the socket as they are, without HTTP around them."""

    data: bytes


@dataclass(frozen=True)
class Drop:
    """Cuts the connection here: reset, or with `politely` closed in the middle of the body."""

    politely: bool = False


@dataclass(frozen=True)
class Endless:
    """Says this piece again and again until the client has gone."""

    piece: str = "on and on "
    pause_seconds: float = 0.01


Step = Text | Reason | Hold | Call | Spent | Finish | Begin | Status | Broken | Raw | Bare | Drop | Endless
