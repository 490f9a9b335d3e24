"""Requests that come again have one effect: the answer is stored with it, and given again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from events.position import Position
from hosting.domain.keyed_errors import RequestUnderWay
from hosting.domain.keyed_request import Answer, AnsweredRequest, KeyedRequest, Record, RequestPlace

S = TypeVar("S")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Keyed(Generic[T_contra]):
    """A keyed request, and how the result of its verb is told to the client."""

    request: KeyedRequest
    render: Callable[[T_contra], Answer]

    def record(self, result: Callable[[Position], T_contra]) -> Record:
        """Return what goes into the verb's unit, given its result by the head of the log just before the unit."""
        return Record(self.request, lambda before: self.render(result(before)))

    def answered(self, result: T_contra) -> AnsweredRequest:
        """Return what is stored with the effect of a verb that writes no log."""
        return AnsweredRequest(self.request, self.render(result))

    def by(self, make: Callable[[S], T_contra]) -> "Keyed[S]":
        """Return the same request for a verb out of whose result this one's is made."""
        return Keyed(self.request, lambda result: self.render(make(result)))


def record_of(keyed: Keyed[S] | None, result: Callable[[Position], S]) -> Record | None:
    """Return what goes into a verb's unit, if its request has a key; see Keyed.record."""
    return None if keyed is None else keyed.record(result)


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
