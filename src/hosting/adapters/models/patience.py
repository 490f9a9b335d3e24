"""How long a provider is waited for, and how much it may say."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, Self, TypeVar

from hosting.adapters.models.failures import ModelAnswerTooLong, ModelTimedOut
from middleware.errors import ModelFailed

T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Patience:
    """What one call of a model may take: until its answer begins, between two pieces of it, and in all.

    A piece is something that the model says: what a provider sends only to keep a connection open is none.
    """

    first: timedelta = timedelta(seconds=120)
    idle: timedelta = timedelta(seconds=60)
    call: timedelta = timedelta(seconds=600)
    max_characters: int = 4 << 20
    hasty: frozenset[str] = frozenset()
    """Which of the times are shorter than the server's own: that one runs out says nothing of the provider."""

    def within(self, *, first: timedelta | None, idle: timedelta | None, call: timedelta | None) -> Self:
        """Return what a call of an agent may take that has these times of its own."""
        own = replace(self, first=first or self.first, idle=idle or self.idle, call=call or self.call)
        hasty = {name for name in ("first", "idle", "call") if getattr(own, name) < getattr(self, name)}
        return replace(own, hasty=self.hasty | hasty)

    def begin(self, model_name: str) -> "Waiting":
        """Return the clocks of a call that begins now."""
        return Waiting(self, model_name)


class Waiting:
    """The clocks of one call; while a piece is written down only the one of the whole call goes on."""

    def __init__(self, patience: Patience, model_name: str) -> None:
        self._patience = patience
        self._model = model_name
        self._now = asyncio.get_running_loop().time
        began = self._now()
        self._begun_at_latest = began + patience.first.total_seconds()
        self._ended_at_latest = began + patience.call.total_seconds()
        self._has_begun = False
        self._characters = 0

    @asynccontextmanager
    async def opened(self, opening: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
        """Open an answer, and close it at the end.

        Raises:
            ModelTimedOut: the provider does not begin to answer.
        """
        async with AsyncExitStack() as stack:
            yield await self.wait(stack.enter_async_context(opening))

    def watch(self, pieces: AsyncIterable[P], characters: Callable[[P], int]) -> "Watched[P]":
        """Return the pieces of an answer as they come; `characters` says how long one is.

        Reading them raises ModelTimedOut when the next one does not come, and ModelAnswerTooLong when the answer does
        not end, in time or at all.
        """
        return Watched(self, pieces, characters)

    def take(self, characters: int) -> None:
        """Take note of a piece; raises ModelAnswerTooLong when it is one too many."""
        self._has_begun = True
        self._characters += characters
        most = self._patience.max_characters
        if self._characters > most:
            raise ModelAnswerTooLong(f"The model {self._model} wrote more than {most} characters, and was cut off.")

    async def wait(self, coming: Awaitable[T]) -> T:
        """Wait for what the provider does next; raises as `watch` has it."""
        piece = self._now() + self._patience.idle.total_seconds() if self._has_begun else self._begun_at_latest
        clock = asyncio.timeout_at(min(piece, self._ended_at_latest))
        try:
            async with clock:
                return await coming
        except TimeoutError as error:
            # A TimeoutError of the provider's client is a failure of its own.
            if not clock.expired():
                raise
            raise self._late(is_whole=piece > self._ended_at_latest) from error

    def _late(self, *, is_whole: bool) -> ModelFailed:
        late = self._told_late(is_whole=is_whole)
        over = "call" if is_whole else "idle" if self._has_begun else "first"
        if over in self._patience.hasty:
            # Whoever writes a definition could otherwise close a model to everybody.
            late.is_providers_fault = None
        return late

    def _told_late(self, *, is_whole: bool) -> ModelFailed:
        patience = self._patience
        if is_whole:
            seconds = patience.call.total_seconds()
            return ModelAnswerTooLong(f"The model {self._model} had not ended its answer after {seconds:g} seconds.")
        if self._has_begun:
            seconds = patience.idle.total_seconds()
            return ModelTimedOut(f"The model {self._model} said nothing more for {seconds:g} seconds.")
        seconds = patience.first.total_seconds()
        return ModelTimedOut(f"The model {self._model} did not begin to answer within {seconds:g} seconds.")


class Watched(Generic[P]):
    """The pieces of an answer, each waited for as long as its provider has."""

    def __init__(self, waiting: Waiting, pieces: AsyncIterable[P], characters: Callable[[P], int]) -> None:
        self._waiting = waiting
        self._pieces = aiter(pieces)
        self._count = characters

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> P:
        piece = await self._waiting.wait(anext(self._pieces))
        self._waiting.take(self._count(piece))
        return piece
