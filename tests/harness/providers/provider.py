"""The server that stands for a provider."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Self

from tests.harness.providers.answer import Answering
from tests.harness.providers.anthropic import AnthropicWire
from tests.harness.providers.openai import ChatWire
from tests.harness.providers.openai_responses import ResponsesWire
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Status, Step
from tests.harness.providers.wire import Wire

_WIRES: Final[dict[str, Callable[[dict[str, Any], int], Wire]]] = {
    "/chat/completions": ChatWire,
    "/responses": ResponsesWire,
    "/messages": AnthropicWire,
}
_UNSCRIPTED: Final = (Status(400, message="The test has scripted no answer to this request."),)

Script = Sequence[Step]


class FakeProvider:
    """Answers model calls as a test scripts them; `async with` opens its port and closes it, with all that is held.

    `otherwise` answers a request that no script is left for; a test that knows no order of requests sets only that.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests: list[Request] = []
        self.otherwise: Callable[[Request], Script] = lambda request: _UNSCRIPTED
        self._scripts: deque[Script] = deque()
        self._came = asyncio.Condition()
        self._serving: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai(self) -> str:
        """The base URL for OpenAI's clients."""
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> str:
        """The base URL for Anthropic's clients."""
        return self.url

    def answers(self, *steps: Step) -> None:
        """Answer the next request that has no answer yet with these steps."""
        self._scripts.append(steps)

    async def request(self, number: int, *, seconds: float = 10) -> Request:
        """Return a request by its number, from 0, as soon as it has come."""
        async with asyncio.timeout(seconds), self._came:
            await self._came.wait_for(lambda: len(self.requests) > number)
        return self.requests[number]

    def forget(self) -> None:
        """Forget what was asked and what is yet to be answered, for the next case."""
        self.requests.clear()
        self._scripts.clear()

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            # The test has ended; asyncio logs a handler that was cancelled as if it had failed.
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        async with self._came:
            self.requests.append(request)
            number = len(self.requests)
            self._came.notify_all()
        script = self._scripts.popleft() if self._scripts else self.otherwise(request)
        wire = _wire_of(request, number)
        answer = asyncio.create_task(Answering(wire, writer).give(script), name=f"answer {number}")
        gone = asyncio.create_task(reader.read(), name=f"client {number}")
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.exception() is None:
                request.answered.set()
            else:
                request.closed.set()
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)


def _wire_of(request: Request, number: int) -> Wire:
    path = request.path.partition("?")[0]
    kind = next((kind for end, kind in _WIRES.items() if path.endswith(end)), ChatWire)
    return kind(request.body if isinstance(request.body, dict) else {}, number)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(body) if body else None)
