"""Opens a session with the time server, says so, and holds it: `python -m tests.tools.time_holder`."""

import asyncio

from hosting.adapters.models.mcp import McpTools
from hosting.domain.config_text import convert_config
from hosting.domain.toolset_config import McpServer
from tests.tools.test_mcp import TIME


async def _hold() -> None:
    tools = McpTools(convert_config(TIME, McpServer), {})
    print(len(await tools.tools(())), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_hold())
