"""The layer that leaves a model alone which fails whoever asks it."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, TypeVar

from middleware.errors import ModelFailed, ModelUnavailable

T = TypeVar("T")

Answered = Callable[[], None]
"""Says that the model has begun to answer."""

_MOST_CIRCUITS: Final = 1_000


class ProviderCall(Protocol):
    """A call of a model as this layer sees it."""

    @property
    def endpoint(self) -> Hashable:
        """What is called: two calls with the same value stand or fall together."""
        ...

    @property
    def model_name(self) -> str:
        """The model, for people."""
        ...

    @property
    def caused_by(self) -> Hashable:
        """Whose call it is: several failures of one are counted as one."""
        ...


@dataclass(slots=True)
class _Circuit:
    """How the calls of one model went lately; `failed` are those whose calls have failed since one was answered."""

    failed: set[Hashable] = field(default_factory=set)
    opened_for: float = 0.0
    open_until: float | None = None
    probe: object | None = None


class CircuitBreaker:
    """Lets no call through to a model after `failures` of them have failed in a row, for a while.

    After that while, which doubles from `first_pause` to `longest_pause` each time, one call is let through to see;
    the others are, as soon as the model begins to answer it.
    Counted are the runs whose calls failed, not the calls: one that is made again three times, or one user whose
    every message is too much for a model, must not close it to everybody. Any call that is answered to its end begins
    the count anew.
    Only failures that are the provider's own count: what it refuses, and what it asks to be spared (429), is between
    it and one caller's key, while here calls with different keys stand side by side.
    Each process counts for itself.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        first_pause: timedelta = timedelta(seconds=30),
        longest_pause: timedelta = timedelta(minutes=5),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._first_pause = first_pause.total_seconds()
        self._longest_pause = longest_pause.total_seconds()
        self._clock = clock
        self._circuits: dict[Hashable, _Circuit] = {}

    async def around_model_call(self, call: ProviderCall, work: Callable[[Answered], Awaitable[T]]) -> T:
        """Make a model call; `work` says when the model has begun to answer it.

        Raises:
            ModelUnavailable: it is not made.
        """
        probe = object()
        self._admit(call, probe)
        try:
            result = await work(lambda: self._answered(call, probe))
        except ModelFailed as error:
            if error.is_providers_fault is None:
                self._give_up(call, probe)
            elif error.is_providers_fault:
                self._failed(call, probe)
            else:
                self._answered(call, probe)
            raise
        except BaseException:
            # It was cut off, and nothing is known; the next call sees.
            self._give_up(call, probe)
            raise
        self._circuits.pop(call.endpoint, None)
        return result

    def _admit(self, call: ProviderCall, probe: object) -> None:
        circuit = self._circuits.get(call.endpoint)
        if circuit is None or circuit.open_until is None:
            return
        left = circuit.open_until - self._clock()
        if left > 0 or circuit.probe is not None:
            raise ModelUnavailable(call.model_name, timedelta(seconds=max(left, 0)))
        circuit.probe = probe

    def _answered(self, call: ProviderCall, probe: object) -> None:
        circuit = self._circuits.get(call.endpoint)
        if circuit is not None and circuit.probe is probe:
            circuit.probe = circuit.open_until = None

    def _give_up(self, call: ProviderCall, probe: object) -> None:
        circuit = self._circuits.get(call.endpoint)
        if circuit is not None and circuit.probe is probe:
            circuit.probe = None

    def _failed(self, call: ProviderCall, probe: object) -> None:
        circuit = self._circuits.get(call.endpoint)
        if circuit is None:
            circuit = self._new_circuit(call.endpoint)
        if circuit.open_until is not None and circuit.probe is not probe:
            # A call from before the circuit opened tells nothing new, and must not make it stay open for longer.
            return
        if len(circuit.failed) < self._failures:
            circuit.failed.add(call.caused_by)
        if circuit.probe is probe or len(circuit.failed) >= self._failures:
            circuit.opened_for = min(2 * circuit.opened_for or self._first_pause, self._longest_pause)
            circuit.open_until = self._clock() + circuit.opened_for
            circuit.probe = None

    def _new_circuit(self, endpoint: Hashable) -> _Circuit:
        if len(self._circuits) >= _MOST_CIRCUITS:
            # Where clients may name endpoints there is no end of them.
            self._circuits.pop(next(iter(self._circuits)))
        return self._circuits.setdefault(endpoint, _Circuit())
