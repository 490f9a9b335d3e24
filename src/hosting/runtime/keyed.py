"""Requests that come again have one effect: the answer is stored with it, and given again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from events.position import Position
from hosting.domain.keyed_errors import RequestUnderWay
from hosting.domain.keyed_request import Answer, KeyedRequest, RequestPlace
from hosting.ports.units import Record

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keyed(Generic[T]):
    """A keyed request, and how the result of its verb is told to the client."""

    request: KeyedRequest
    render: Callable[[T], Answer]

    def record(self, result: Callable[[Position], T]) -> Record:
        """Return what goes into the verb's unit, given its result by the head of the log just before the unit."""
        return Record(self.request, lambda before: self.render(result(before)))


@dataclass(frozen=True, slots=True)
class KeysUnderWay:
    """The keyed requests that this process is busy with."""

    _places: set[RequestPlace] = field(default_factory=set)

    @contextmanager
    def taken(self, place: RequestPlace) -> Iterator[None]:
        """Keep a place for the time of a request.

        Raises:
            RequestUnderWay: another request has it.
        """
        if place in self._places:
            raise RequestUnderWay
        self._places.add(place)
        try:
            yield
        finally:
            self._places.discard(place)
