"""The layer that asks whether a turn may go on past its limit of model calls."""

from datetime import timedelta
from typing import Final, Protocol, TypeVar

from events.continuation import ContinuationRequest, ContinuationResponse
from middleware.asking import Asker
from middleware.errors import RequestExpired, TurnStopped
from middleware.pipeline import Work

T = TypeVar("T")

_SOURCE: Final = "ContinuationPermission"
_STOPPED: Final = "I have used up my {limit} iterations and was not allowed to go on, so I stop here."


class Iterations(Asker, Protocol):
    """The model calls of a turn: how many there were, how many there may be, and who can ask for more."""

    @property
    def iteration(self) -> int:
        """The model call that is about to be made, from 1."""
        ...

    @property
    def iteration_limit(self) -> int | None:
        """How many there may be without asking; None for as many as it takes."""
        ...

    @property
    def iteration_extension(self) -> int:
        """How many more an answer allows that does not say."""
        ...

    @property
    def continuation_timeout(self) -> timedelta | None:
        """How long the question waits for an answer."""
        ...

    async def conclude(self, text: str) -> None:
        """Write the last message of the turn, which no limit holds back."""
        ...


class Continuation:
    """Asks before the first model call past the limit; each turn has one of these."""

    def __init__(self) -> None:
        self._extended_by = 0

    async def around_model_call(self, turn: Iterations, work: Work[T]) -> T:
        """Make the model call, once it is within the limit or was allowed.

        Raises:
            TurnStopped: it was not; a message has told so.
        """
        limit = turn.iteration_limit
        if limit is not None and turn.iteration > limit + self._extended_by:
            await self._extend(turn, limit + self._extended_by)
        return await work()

    async def _extend(self, turn: Iterations, limit: int) -> None:
        request = ContinuationRequest(
            continuation_id=turn.new_request_id(),
            source_name=_SOURCE,
            current_iteration=turn.iteration,
            max_iterations=limit,
        )
        try:
            answer = await turn.ask(request, ContinuationResponse, within=turn.continuation_timeout)
        except RequestExpired:
            await self._stop(turn, limit, "continuation_expired")
        else:
            if not answer.approved:
                await self._stop(turn, limit, "continuation_denied")
            self._extended_by += answer.extension_amount if answer.extension_amount > 0 else turn.iteration_extension

    async def _stop(self, turn: Iterations, limit: int, reason: str) -> None:
        await turn.conclude(_STOPPED.format(limit=limit))
        raise TurnStopped(reason)
