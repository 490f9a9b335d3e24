"""A WebSocket that says everything back, on the server as it is shipped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import WebSocket, websocket

from hosting import create_app
from hosting.cli.server import shipped_server
from hosting.settings import Settings

PATH = "/echo"


@websocket(PATH)
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    """Say back what comes, until it ends."""
    await socket.accept()
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        await socket.send({**message, "type": "websocket.send"})  # type: ignore[typeddict-item]


@websocket("/silent")
async def silent(socket: WebSocket[Any, Any, Any]) -> None:
    """Never answer the handshake."""
    await asyncio.Event().wait()


@asynccontextmanager
async def echoing(database_url: str, **settings: Any) -> AsyncIterator[str]:
    """Serve until the block is left; gives the address."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    app = create_app(settings=Settings(database_url=database_url, **settings))
    for route in (echo, silent):
        app.register(route)
    server = shipped_server(app, "127.0.0.1", 0, listening.set_result)
    task = asyncio.create_task(server.serve(), name="server")
    await asyncio.wait([listening, task], return_when=asyncio.FIRST_COMPLETED, timeout=30)
    try:
        yield f"http://127.0.0.1:{listening.result()}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)
