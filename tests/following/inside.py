"""The shipped server inside the test's own process, so that a test can hold what is below it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from hosting import create_app
from hosting.bootstrap import server_of
from hosting.cli.server import shipped_server
from hosting.server import Server
from hosting.settings import Settings

GRACE_SECONDS = 0.2


@asynccontextmanager
async def serving(
    settings: Settings, on_connect: Callable[[Any], None] | None = None
) -> AsyncIterator[tuple[str, Server]]:
    """Serve on a free port until the block is left; gives the address and what the application is made of."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    # What a test leaves running has shown what it was to show.
    app = create_app(settings=replace(settings, grace_seconds=GRACE_SECONDS), on_connect=on_connect)
    server = shipped_server(app, "127.0.0.1", 0, listening.set_result)
    task = asyncio.create_task(server.serve(), name="server")
    await asyncio.wait([listening, task], return_when=asyncio.FIRST_COMPLETED, timeout=30)
    assert listening.done(), server_of(app).refused
    try:
        yield f"http://127.0.0.1:{listening.result()}", server_of(app)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)
