"""The questions of a run: recorded, then asked, then waited for, through any crash."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec

from events.event import Event
from events.ids import is_client_id, is_name
from events.interactions import Request, Response
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, OpenInteraction, RunChange
from hosting.runtime.closing import GIVEN_UP_REASON, cancel_question
from hosting.runtime.core import Runtime
from hosting.runtime.hand import Hand
from hosting.runtime.steps import Steps
from middleware.errors import RequestExpired

A = TypeVar("A", bound=Response)
Answer = Callable[[], Awaitable[A]]
"""Waits for the accepted answer; raises RequestExpired."""

_NOT_ASKED_ABOUT: Final = frozenset((*Event.__struct_fields__, "expires_at"))


class Questions:
    """Asks for one turn; `asked` is what the run had asked before it began again."""

    def __init__(self, runtime: Runtime, hand: Hand, asked: Iterable[Interaction]) -> None:
        self._runtime = runtime
        self._hand = hand
        self._asked = {interaction.place: interaction for interaction in asked}

    def of(self, hand: Hand) -> "Questions":
        """Return the questions of a turn inside of this one."""
        return Questions(self._runtime, hand, self._asked.values())

    def open(self, steps: Steps, request: Request, answer: type[A], *, within: timedelta | None) -> Answer[A]:
        """Ask at once, unless it was asked before the run began again, and return what waits for the answer."""
        kind = self._runtime.serializer.catalog.name_of(type(request))
        key = steps.next_key(StepKind.REQUEST, kind, _question(request))
        request_id = request.request_key
        if steps.logged(key) is not None:
            request_id = self._asked[key.place].id
        else:
            self._ask(key, kind, request, answer, within)
        return lambda: self._wait(request_id, kind, answer)

    def again(self, steps: Steps, kind: type[Request], answer: type[A]) -> Answer[A]:
        """Return what waits for the answer to a question of this kind that was asked before the run began again.

        It is known by its place alone: what was asked exactly, nobody who is here could say.
        """
        request_id, name = self._asked[steps.next_place].id, self._runtime.serializer.catalog.name_of(kind)
        return lambda: self._wait(request_id, name, answer)

    async def check(self, request: Request) -> None:
        """Make sure that a request can be asked.

        Raises:
            TypeError: it is none.
            ValueError: its id cannot be one, or was used on this branch before.
        """
        if not isinstance(request, Request):
            raise TypeError(f"{type(request).__name__} is no Request.")
        request_id = request.request_key
        if not is_client_id(request_id) or not is_name(request.source_name):
            raise ValueError(f"The request id {request_id!r:.100} or the source name cannot be stored.")
        if await self._runtime.run_reads.was_asked(self._hand.lease.run.branch_key, request_id):
            raise ValueError(f"The request id {request_id!r} was used on this branch before.")

    def _ask(self, key: StepKey, kind: str, request: Request, answer: type[Response], within: timedelta | None) -> None:
        run, now = self._hand.lease.run, self._runtime.clock()
        expires_at = None if within is None else now + within
        interaction = Interaction(
            id=request.request_key,
            branch_key=run.branch_key,
            scope=run.scope,
            run_id=run.id,
            agent_id=run.agent_id,
            place=key.place,
            request_type=kind,
            response_type=self._runtime.serializer.catalog.name_of(answer),
            source_name=request.source_name,
            state=InteractionState.OPEN,
            seq=0,
            requested_at=now,
            expires_at=expires_at,
        )
        seconds = None if within is None else within.total_seconds()
        event = msgspec.structs.replace(request, expires_at=expires_at, event_flow_id=self._hand.turn.id)

        def changes(encoded: Any) -> tuple[RunChange, ...]:
            return BeginStep(run.id, key), OpenInteraction(interaction, encoded, seconds)

        self._hand.put_asking(event, changes)

    async def _wait(self, request_id: str, kind: str, answer: type[A]) -> A:
        try:
            await self._hand.settle()
            settled = await self._settled(request_id)
        except asyncio.CancelledError:
            if not self._hand.is_withdrawn:
                # Nobody waits for the answer any more: a time limit of the agent's own has run out, perhaps.
                await cancel_question(self._runtime, self._hand, request_id, reason=GIVEN_UP_REASON)
            raise
        self._hand.unfinished.settle(request_id)
        if settled.state is not InteractionState.ANSWERED or settled.response is None:
            raise RequestExpired(request_id, kind)
        response = self._runtime.serializer.decode(settled.response)
        if not isinstance(response, answer):
            raise TypeError(f"The answer to {request_id} is no {answer.__name__} any more.")
        return response

    async def _settled(self, request_id: str) -> Interaction:
        runtime, branch = self._runtime, self._hand.lease.run.branch_key
        while True:
            # Armed before the row is looked at: an answer in between wakes us.
            waiter = runtime.wakes.arm(request_id)
            try:
                settled = await runtime.run_reads.settled(branch, request_id)
                if settled is not None:
                    return settled
                await waiter
            finally:
                runtime.wakes.disarm(request_id, waiter)


def _question(request: Request) -> dict[str, Any]:
    """Return what a question is recognised by: all that was asked, without its id, place and deadline."""
    left_out = _NOT_ASKED_ABOUT | {request.id_member}
    return {name: getattr(request, name) for name in request.__struct_fields__ if name not in left_out}
