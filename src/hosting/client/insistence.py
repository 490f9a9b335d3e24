"""Sending a request that has one effect until its answer has come."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import httpx
import msgspec

from hosting.client.errors import AnswerLost, ServerUnreachable
from hosting.client.patience import Patience

_FIRST_PAUSE: Final = timedelta(milliseconds=500)
# A proxy answers so while its server starts, and a server while its store is away: both pass.
_PASSING: Final = frozenset({502, 503, 504})
_CONFLICT: Final = 409
_LONG: Final = 10
"""Digits of a pause that nobody can mean."""
_UNDER_WAY: Final = "idempotency-key-under-way"


class _Refusal(msgspec.Struct):
    code: str = ""


async def insist(send: Callable[[], Awaitable[httpx.Response]], patience: Patience) -> httpx.Response:
    """Send a keyed request, and again while its answer was lost or the server cannot answer now.

    Between two times the client stays away for as long as the server asks, or longer each time if it says nothing.

    Raises:
        ServerUnreachable: no connection came about the first time, or at last where every answer was that it cannot be
            done now.
        AnswerLost: an answer was lost, and none came at any later time that says whether the request was done.
    """
    lost: AnswerLost | None = None
    was_there = False
    pause = _FIRST_PAUSE
    for sends_left in reversed(range(patience.sends)):
        asked_for: timedelta | None = None
        try:
            response = await send()
            if not _passes(response):
                return response
            if not sends_left:
                if lost is not None:
                    raise lost
                return response
            was_there, asked_for = True, _asked_for(response)
        except AnswerLost as error:
            was_there, lost = True, error
            if not sends_left:
                raise
        except ServerUnreachable as error:
            if not sends_left and lost is not None:
                raise lost from error
            if not sends_left or not was_there:
                raise
        await asyncio.sleep(min(asked_for or pause, patience.pause).total_seconds())
        pause *= 2
    raise ValueError("Patience.sends must be 1 at least.")


def _passes(response: httpx.Response) -> bool:
    if response.status_code != _CONFLICT:
        return response.status_code in _PASSING
    try:
        return msgspec.json.decode(response.content, type=_Refusal).code == _UNDER_WAY
    except msgspec.DecodeError:
        return False


def _asked_for(response: httpx.Response) -> timedelta | None:
    said = response.headers.get("retry-after", "")
    return timedelta(seconds=int(said)) if said.isdecimal() and len(said) < _LONG else None
