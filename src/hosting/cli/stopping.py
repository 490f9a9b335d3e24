"""Ending a run by Ctrl-C."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from events.ids import RunId
from events.runs import BranchRunStarted
from events.turns import MessageTurnStarted
from hosting.cli.persistence import persist
from hosting.client import BranchAddress, Client, ClientError, Problem, Received

_REASON: Final = "Ctrl-C in `branchline send`."
_TURN_SECONDS: Final = 1.0
"""How long a run that holds its branch may take to begin its turn; one that waits for a worker takes any time."""


class Left(Exception):
    """The end of the run was not waited for."""


class Stopping:
    """Ends one run at its server on the first Ctrl-C, and leaves it at the second one."""

    def __init__(self, client: Client, at: BranchAddress, run_id: RunId, *, attempts: int) -> None:
        self._client = client
        self._at = at
        self._run_id = run_id
        self._attempts = attempts
        self._flow: str | None = None
        self._flow_known = asyncio.Event()
        self._active = asyncio.Event()
        self._wanted = asyncio.Event()
        self._left = False
        self.accepted = False

    @property
    def is_wanted(self) -> bool:
        """Whether Ctrl-C has been pressed."""
        return self._wanted.is_set()

    @contextmanager
    def listening(self, on_first: Callable[[], None]) -> Iterator[None]:
        """Heed Ctrl-C inside the block, which must be one task's; `on_first` is called at the first one.

        Raises:
            Left: it was pressed twice.
        """
        loop, inside = asyncio.get_running_loop(), asyncio.current_task()

        def pressed() -> None:
            if not self.is_wanted:
                self._wanted.set()
                on_first()
            elif inside is not None:
                # A KeyboardInterrupt would leave connections half made, and Python complains of them on the screen.
                self._left = True
                inside.cancel()

        loop.add_signal_handler(signal.SIGINT, pressed)
        try:
            yield
        except asyncio.CancelledError as cancelled:
            if not self._left:
                raise
            raise Left from cancelled
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def see(self, received: Received) -> None:
        """Learn how far the run is."""
        event = received.event
        if isinstance(event, MessageTurnStarted) and event.runtime_run_id == self._run_id and self._flow is None:
            self._flow = event.message_turn_id
            self.began()
            self._flow_known.set()
        elif isinstance(event, BranchRunStarted) and event.runtime_run_id == self._run_id:
            self.began()

    def began(self) -> None:
        """Know that the run holds its branch."""
        self._active.set()

    async def work(self, on_failure: Callable[[ClientError], None]) -> None:
        """Wait until the end is wanted, and see to it that the server has accepted that.

        Raises:
            ClientError: it did not.
        """
        await self._wanted.wait()
        await persist(self._stop, self._attempts, on_failure=on_failure)
        self.accepted = True

    async def _stop(self) -> None:
        if self._flow is None and await self._remove():
            return
        await self._active.wait()
        # With its flow, the interrupt cannot end the run that comes after this one.
        with suppress(TimeoutError):
            async with asyncio.timeout(_TURN_SECONDS):
                await self._flow_known.wait()
        try:
            await self._client.interrupt(self._at, _REASON, event_flow_id=self._flow)
        except Problem as problem:
            # It has ended by itself; the log will say how.
            if problem.code != "branch-run-not-active":
                raise

    async def _remove(self) -> bool:
        """Take the input out of the queue, if it waits there: an interrupt would end somebody else's run."""
        try:
            await self._client.remove_queued(self._at, self._run_id)
        except Problem as problem:
            if problem.code != "run-not-queued":
                raise
            return False
        return True
