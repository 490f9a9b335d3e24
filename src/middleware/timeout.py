"""The layer that ends a run which takes too long."""

import asyncio

from middleware.errors import RunTimedOut
from middleware.pipeline import Turn, TurnContext


class Timeout:
    """Ends a turn that takes longer than `run_timeout`.

    Raises:
        RunTimedOut: it did.
    """

    async def around_turn(self, context: TurnContext, turn: Turn) -> None:
        """See TurnLayer.around_turn."""
        if context.run_timeout is None:
            return await turn()
        seconds = context.run_timeout.total_seconds()
        clock = asyncio.timeout(seconds)
        try:
            async with clock:
                await turn()
        except TimeoutError as error:
            # A TimeoutError of the agent's own is its own failure.
            if not clock.expired():
                raise
            raise RunTimedOut(seconds) from error
