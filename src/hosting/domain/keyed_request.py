"""A request that its client may send again, and the answer it was given; see docs/reference/http.md."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from events.position import Position
from hosting.domain.scope import TenantId

KEPT: Final = timedelta(hours=24)
"""How long an answer is given again."""


class RequestPlace(NamedTuple):
    """Where a key counts: with one tenant, one method and one concrete path."""

    tenant: TenantId
    method: str
    path: str
    key: str


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with a key; `fingerprint` is the SHA-256 of its body, in hex."""

    place: RequestPlace
    fingerprint: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with: JSON, and where the thing is that came to be."""

    body: bytes
    location: str | None = None


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A keyed request with its answer, which are stored in the transaction of what the answer tells of."""

    request: KeyedRequest
    answer: Answer


@dataclass(frozen=True, slots=True)
class Record:
    """A keyed request whose answer is stored with what it tells of, in a unit (see `hosting.ports.units`).

    `answer` is given the head of the log just before the unit. It is called within the transaction, perhaps on another
    thread and more than once; it must do nothing else.
    """

    request: KeyedRequest
    answer: Callable[[Position], Answer]


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer that is stored, with the fingerprint of the body that it was given to."""

    fingerprint: str
    answer: Answer
    received_at: datetime

    def is_kept(self, now: datetime) -> bool:
        """Whether it is still given again."""
        return now - self.received_at <= KEPT
