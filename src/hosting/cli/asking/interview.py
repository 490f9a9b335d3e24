"""Seeing to what a run asks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from events.interactions import Response, ResponseOutcome
from hosting.cli.asking.asked import Asked, settled_by
from hosting.cli.asking.means import Means
from hosting.cli.asking.settlement import settlement
from hosting.cli.view import View
from hosting.client import Received, ResponseRefused

Deliver = Callable[[Response], Awaitable[None]]
"""Brings an answer to the server, through whatever happens to the connection; raises ResponseRefused."""

_TOO_LATE: Final[Mapping[str, str]] = {
    ResponseOutcome.ALREADY_RESOLVED: "That was answered elsewhere before.",
    ResponseOutcome.TIMED_OUT: "That came too late: nobody had answered in time.",
    ResponseOutcome.CANCELLED: "That is not asked any more.",
}


class Interview:
    """Takes the questions of a run one after the other, each to the first means that has an answer."""

    def __init__(self, means: Sequence[Means], deliver: Deliver, view: View) -> None:
        self._means = means
        self._deliver = deliver
        self._view = view
        self._open: dict[str, Asked] = {}
        self._next: asyncio.Queue[Asked] = asyncio.Queue()
        self._withdrawn = False

    def see(self, received: Received) -> None:
        """Take note of what an event asks or settles."""
        if self._withdrawn or not self._means:
            return
        asked = Asked.by(received)
        if asked is not None:
            self._open[asked.key] = asked
            self._next.put_nowait(asked)
        settled = self._open.pop(settled_by(received) or "", None)
        if settled is not None and not settled.end.done():
            sentence = settlement(received.event)
            settled.end.set_result(sentence)
            if settled.told:
                self._view.note(settled.nesting.line(sentence))

    def withdraw(self) -> None:
        """Ask nothing more, and leave what is being asked."""
        self._withdrawn = True
        for asked in self._open.values():
            if not asked.end.done():
                asked.end.set_result("")

    async def work(self) -> None:
        """See to one question after the other, until cancelled."""
        while True:
            asked = await self._next.get()
            response = await self._come_to_an_answer(asked)
            if response is not None:
                await self._send(asked, response)

    async def _come_to_an_answer(self, asked: Asked) -> Response | None:
        for means in self._means:
            if asked.end.done():
                return None
            response = await means.answer(asked)
            if response is not None:
                return response
        return None

    async def _send(self, asked: Asked, response: Response) -> None:
        # Settled by this client from now on: the answer's own event is no news.
        self._open.pop(asked.key, None)
        try:
            await self._deliver(response)
        except ResponseRefused as refused:
            self._view.note(_TOO_LATE.get(refused.outcome, str(refused)))
