"""Answers of providers, measured before anything is read of them: whoever is at the other end may send without end."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic_ai.providers import Provider

from hosting.adapters.models.failures import ModelAnswerTooLong, ModelGarbled

MOST_OF_AN_ERROR: Final = 64 * 1024
MOST_OF_AN_EVENT: Final = 8 * 1024 * 1024
MOST_OF_AN_ANSWER: Final = 64 * 1024 * 1024

_FIRST_ERROR_STATUS: Final = 400
_ENDS_OF_EVENTS: Final = (b"\n\n", b"\r\r", b"\r\n\r\n")
_LONGEST_END: Final = 4


def measure_answers(provider: Provider[Any]) -> None:
    """Have the HTTP client that a provider has made for itself, and those that it makes later, measure answers."""
    client, make = provider._own_http_client, provider._http_client_factory
    if client is not None and make is not None:
        provider._own_http_client = _measuring(client)
        provider._http_client_factory = _made_so(make)


class Measured:
    """The bytes of an answer: those of an error are cut off, and those of all else fail beyond what an answer has."""

    def __init__(self, stream: Any, *, is_error: bool) -> None:
        self._stream = stream
        self._is_error = is_error
        self._whole = 0
        self._event = 0
        self._last = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the bytes piece by piece; raises ModelAnswerTooLong."""
        async with aclosing(aiter(self._stream)) as pieces:
            async for piece in pieces:
                if self._is_error and self._whole + len(piece) > MOST_OF_AN_ERROR:
                    yield piece[: MOST_OF_AN_ERROR - self._whole]
                    return
                self._measure(piece)
                yield piece

    async def aclose(self) -> None:
        """Close the connection, or give it back if all has been read."""
        await self._stream.aclose()

    def _measure(self, piece: bytes) -> None:
        near = self._last + piece
        end = max(near.rfind(end) for end in _ENDS_OF_EVENTS)
        self._event = self._event + len(piece) if end < 0 else len(near) - end
        self._whole += len(piece)
        self._last = near[1 - _LONGEST_END :]
        if self._event > MOST_OF_AN_EVENT or self._whole > MOST_OF_AN_ANSWER:
            raise ModelAnswerTooLong("The provider of the model sent more than an answer has, and was cut off.")


def _made_so(make: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: _measuring(make())


def _measuring(client: Any) -> Any:
    hooks = client.event_hooks
    client.event_hooks = {"request": [*hooks["request"], _ask_plain], "response": [*hooks["response"], _measure]}
    return client


async def _ask_plain(request: Any) -> None:
    # A packed answer is small until it is unpacked, in one piece.
    request.headers["accept-encoding"] = "identity"


async def _measure(response: Any) -> None:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ModelGarbled("The provider of the model packed its answer, unasked.")
    kind = _kind_of_stream(type(response).__module__.partition(".")[0])
    response.stream = kind(response.stream, is_error=response.status_code >= _FIRST_ERROR_STATUS)


@cache
def _kind_of_stream(library: str) -> Any:
    # Providers use one or the other of two libraries of HTTP, and each knows only streams of its own kind.
    return type(Measured.__name__, (Measured, import_module(library).AsyncByteStream), {})
