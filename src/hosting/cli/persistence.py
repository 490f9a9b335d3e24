"""Asking a server for something until it has been done."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from hosting.client import AnswerLost, AnswerUnreadable, ClientError, Problem, ServerUnreachable

T = TypeVar("T")

_PAUSE: Final = timedelta(seconds=1)
# A proxy answers so while its server starts, and a server while its store is away: both pass.
_PASSING: Final = frozenset({502, 503, 504})


async def persist(
    request: Callable[[], Awaitable[T]], attempts: int, *, on_failure: Callable[[ClientError], None]
) -> T:
    """Make a request that can be made twice, again and again while the server is away; `on_failure` is told each time.

    Raises:
        ClientError: the server refused, or was away at all attempts.
    """
    for _ in range(attempts - 1):
        try:
            return await request()
        except ClientError as error:
            if not _passes(error):
                raise
            on_failure(error)
        await asyncio.sleep(_PAUSE.total_seconds())
    return await request()


def _passes(error: ClientError) -> bool:
    if isinstance(error, Problem | AnswerUnreadable):
        return error.status in _PASSING
    return isinstance(error, ServerUnreachable | AnswerLost)
