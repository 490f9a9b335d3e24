"""Who on this node waits for what is decided elsewhere; the rows decide, a wake only says that one has changed."""

import asyncio
from collections.abc import Iterable

from events.ids import RunId
from hosting.domain.interrupt import Interrupt
from hosting.runtime.telling import Telling


class Inbox:
    """The interrupts of one run: each flow in it listens for its own, the run itself for those without a flow."""

    def __init__(self) -> None:
        self._early: dict[str | None, Interrupt] = {}
        self._listeners: dict[str | None, asyncio.Future[Interrupt]] = {}

    def put(self, interrupt: Interrupt) -> None:
        """Deliver an interrupt; the first one for a flow counts, and one that nobody listens for yet is kept."""
        listener = self._listeners.get(interrupt.flow)
        if listener is None:
            self._early.setdefault(interrupt.flow, interrupt)
        elif not listener.done():
            listener.set_result(interrupt)

    def listen(self, flow: str | None) -> asyncio.Future[Interrupt]:
        """Return a future of the flow's interrupt; pair with `leave`."""
        listener: asyncio.Future[Interrupt] = asyncio.get_running_loop().create_future()
        self._listeners[flow] = listener
        early = self._early.pop(flow, None)
        if early is not None:
            listener.set_result(early)
        return listener

    def leave(self, flow: str | None) -> None:
        """Listen no more."""
        self._listeners.pop(flow, None)


class Wakes:
    """Gives those who wait a future, and those who change a row a way to settle it, here and elsewhere."""

    def __init__(self, telling: Telling | None = None) -> None:
        self._telling = telling or Telling()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._inboxes: dict[RunId, Inbox] = {}

    def arm(self, request_id: str) -> asyncio.Future[None]:
        """Return a future that is settled when the question may have been; pair with `disarm`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(request_id, set()).add(waiter)
        return waiter

    def disarm(self, request_id: str, waiter: asyncio.Future[None]) -> None:
        """Forget a future."""
        waiting = self._waiting.get(request_id)
        if waiting is not None:
            waiting.discard(waiter)
            if not waiting:
                del self._waiting[request_id]

    def settled(self, request_id: str) -> None:
        """Wake all who wait for an answer to a question: here, or else wherever they are."""
        if request_id in self._waiting:
            self.wake(request_id)
        else:
            self._telling.settled(request_id)

    def wake(self, request_id: str) -> None:
        """Wake all who wait here for an answer to a question."""
        for waiter in self._waiting.get(request_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def awaited(self) -> list[str]:
        """Return the questions that somebody here waits for."""
        return list(self._waiting)

    def inbox(self, run_id: RunId) -> Inbox:
        """Return the inbox of a run that this node holds, from the moment on in which it does."""
        return self._inboxes.setdefault(run_id, Inbox())

    def interrupted(self, interrupt: Interrupt) -> None:
        """Deliver an interrupt: here if the run is held here, else to wherever it is."""
        inbox = self._inboxes.get(interrupt.run_id)
        if inbox is not None:
            inbox.put(interrupt)
        else:
            self._telling.interrupted(interrupt.run_id)

    def held(self) -> list[RunId]:
        """Return the runs that this node holds."""
        return list(self._inboxes)

    def held_among(self, runs: Iterable[RunId]) -> list[RunId]:
        """Return those of the runs that this node holds."""
        return [run for run in runs if run in self._inboxes]

    def forget(self, run_id: RunId) -> None:
        """Drop the inbox of a run that has ended or is held elsewhere."""
        self._inboxes.pop(run_id, None)
