"""A uvicorn server inside the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn


@asynccontextmanager
async def listening(server: uvicorn.Server) -> AsyncIterator[str]:
    """Serve until the block is left; gives the address."""
    task = asyncio.create_task(server.serve(), name="server")
    async with asyncio.timeout(30):
        while not server.started:
            assert not task.done()
            await asyncio.sleep(0.01)
    try:
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)
