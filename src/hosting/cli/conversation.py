"""One run, from the acceptance of its input to its end, as the person sees it who sent that input."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from events.branches import MessageStarted
from events.runs import BranchRunCompleted, BranchRunStarted
from events.turns import MessageTurnStarted
from events.work import WorkClaimed
from hosting.cli.asking.interview import Interview
from hosting.cli.stopping import Stopping
from hosting.cli.view import View
from hosting.client import Accepted, BranchAddress, Client, ClientError, Received

_WAITING_SECONDS: Final = 2.0


@dataclass(slots=True)
class Conversation:
    """Shows a run, sees to what it asks, and ends it when that is wanted."""

    client: Client
    at: BranchAddress
    accepted: Accepted
    view: View
    interview: Interview
    stopping: Stopping
    on_stop: Callable[[], None]
    cut: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)
    worked_on: asyncio.Event = field(default_factory=asyncio.Event)
    failed_to_stop: bool = False

    async def go(self) -> BranchRunCompleted:
        """Return the end of the run.

        Raises:
            ClientError: the run cannot be followed, answered or ended any more.
            Left: its end was wanted twice.
        """
        self.view.follow(self.accepted.runtime_run_id)
        try:
            with self.stopping.listening(self._stop):
                async with asyncio.TaskGroup() as tasks:
                    beside = [
                        tasks.create_task(self.interview.work(), name="interview"),
                        tasks.create_task(self.stopping.work(self._tell_failure), name="stopping"),
                        tasks.create_task(self._tell_waiting(), name="waiting"),
                    ]
                    ended = await self._follow()
                    for task in beside:
                        task.cancel()
        except ExceptionGroup as failed:
            # One of them is enough to say what went wrong: each of them ends the others.
            raise _first(failed) from failed
        return ended

    async def _follow(self) -> BranchRunCompleted:
        async with aclosing(self.client.follow_run(self.at, self.accepted, on_cut=self._tell_cut)) as events:
            async for received in events:
                self.cut = False
                self._see_begin(received)
                self.view.show(received)
                self.interview.see(received)
                self.stopping.see(received)
                event = received.event
                if isinstance(event, BranchRunCompleted) and event.runtime_run_id == self.accepted.runtime_run_id:
                    return event
        raise AssertionError("a run is followed to its end")

    def _see_begin(self, received: Received) -> None:
        event = received.event
        if isinstance(event, BranchRunStarted) and event.runtime_run_id == self.accepted.runtime_run_id:
            self.began.set()
        elif isinstance(event, MessageStarted) and event.message_id == self.accepted.message_id:
            if not self.began.is_set():
                # Its message comes, and no run has begun for it.
                self.began.set()
                self.worked_on.set()
                self.stopping.began()
                self.view.note("Added to the run that is active.")
        elif self.began.is_set() and isinstance(event, WorkClaimed | MessageTurnStarted | BranchRunCompleted):
            self.worked_on.set()

    async def _tell_waiting(self) -> None:
        """Tell when nobody begins with the run, which would look as if nothing happened."""
        await self.began.wait()
        try:
            async with asyncio.timeout(_WAITING_SECONDS):
                await self.worked_on.wait()
        except TimeoutError:
            self.view.note("Nobody has begun with it yet; a worker's agent waits for a worker.")

    def _stop(self) -> None:
        self.interview.withdraw()
        self.on_stop()

    def _tell_cut(self, cause: str) -> None:
        if not self.cut:
            self.view.note(f"The connection was cut ({cause}); trying again.")
        self.cut = True

    def _tell_failure(self, error: ClientError) -> None:
        if not self.failed_to_stop:
            self.view.note(f"The interrupt did not get through ({error}); trying again.")
        self.failed_to_stop = True


def _first(failed: BaseExceptionGroup[Exception]) -> Exception:
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
