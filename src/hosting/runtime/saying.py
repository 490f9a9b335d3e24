"""What an agent says without a model, as a model call writes it."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing

from hosting.ports.agents import Reply

Write = Callable[[Reply], Awaitable[None]]


def writing(text: str) -> Write:
    """Return what writes a text as it is."""

    async def write(reply: Reply) -> None:
        await reply.text(text)

    return write


def reading(pieces: AsyncIterable[str]) -> Write:
    """Return what writes a message piece by piece; it can be used once."""

    async def write(reply: Reply) -> None:
        async with AsyncExitStack() as stack:
            if isinstance(pieces, AsyncGenerator):
                # Also when a piece is refused: its `finally` must run before the run ends.
                await stack.enter_async_context(aclosing(pieces))
            async for piece in pieces:
                await reply.text(piece)

    return write
