"""The shipped server inside the test's own process, with agents that the test holds in its hands."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from events.event import Event
from hosting import create_app
from hosting.adapters.agents.function import FunctionAgent
from hosting.bootstrap import server_of
from hosting.cli.server import shipped_server
from hosting.server import Server
from hosting.settings import Settings


@asynccontextmanager
async def hosted(
    database_url: str, agents: Iterable[FunctionAgent] = (), *, events: Iterable[type[Event]] = (), **settings: Any
) -> AsyncIterator[tuple[str, Server]]:
    """Serve on a free port until the block is left; gives the address and what the application is made of."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    chosen = Settings(database_url=database_url, **settings)
    app = create_app({agent.agent_id: agent for agent in agents}, settings=chosen, events=events)
    server = shipped_server(app, "127.0.0.1", 0, listening.set_result)
    task = asyncio.create_task(server.serve(), name="server")
    await asyncio.wait([listening, task], return_when=asyncio.FIRST_COMPLETED, timeout=30)
    assert listening.done(), server_of(app).refused
    try:
        yield f"http://127.0.0.1:{listening.result()}", server_of(app)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)
