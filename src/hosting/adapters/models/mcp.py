"""The tools of an MCP server, as an agent has them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from mcp import types
from pydantic_ai.messages import ModelMessage

from events.tools import CallType, ToolResult
from hosting.adapters.models.mcp_result import result_of_call
from hosting.adapters.models.mcp_session import McpSession
from hosting.adapters.models.tool_name import tool_name
from hosting.adapters.models.toolset_failed import ToolsetFailed
from hosting.domain.toolset_config import McpServer
from hosting.ports.tools import Tool, ToolContext, Work

_log = structlog.get_logger("branchline.mcp")

_IDLE_SECONDS: Final = 300.0


class McpTools:
    """A ToolSource that is a server: it is asked for its tools when a run needs them, and left when none has for long.

    While it is down an agent has the tools that it had before, or none, and is told why.
    """

    def __init__(
        self, server: McpServer, environment: Mapping[str, str], *, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self.name = server.name
        self._server = server
        self._session = McpSession(server, environment)
        self._idle_seconds = idle_seconds
        self._known: tuple[Tool, ...] = ()
        self._trouble: str | None = None
        self._runs = 0
        self._idle: asyncio.Task[None] | None = None

    async def tools(self, said: Sequence[ModelMessage]) -> Sequence[Tool]:
        """See ToolSource.tools."""
        try:
            listed = await self._session.tools()
        except ToolsetFailed as error:
            self._trouble = str(error)
            return self._known
        self._trouble = None
        self._known = self._tools(listed)
        return self._known

    async def notice(self, said: Sequence[ModelMessage]) -> str | None:
        """See ToolSource.notice."""
        if self._trouble is None:
            return None
        return f"The tools of {self.name} cannot be used at the moment. {self._trouble}"

    async def enter(self) -> None:
        """See ToolSource.enter."""
        self._runs += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    async def leave(self) -> None:
        """See ToolSource.leave."""
        self._runs -= 1
        if self._runs == 0:
            self._idle = asyncio.create_task(self._close_later(), name=f"idle MCP server {self.name}")

    async def close(self) -> None:
        """See ToolSource.close."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        await self._session.close()

    async def _close_later(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        await self._session.close()

    def _tools(self, listed: Sequence[types.Tool]) -> tuple[Tool, ...]:
        wanted, gated = self._server.tools, self._gated(listed)
        made: dict[str, Tool] = {}
        for described in listed:
            if wanted is not None and described.name not in wanted:
                continue
            tool = self._tool(described, is_gated=described.name in gated)
            if tool.name in made:
                _log.warning("mcp tools of one name", server=self.name, tool=tool.name)
            made.setdefault(tool.name, tool)
        return tuple(made.values())

    def _tool(self, described: types.Tool, *, is_gated: bool) -> Tool:
        hints = described.annotations
        return Tool(
            tool_name(self.name, described.name),
            self._work(described.name),
            description=described.description or described.title,
            requires_permission=is_gated,
            safe_to_retry=bool(hints and (hints.read_only_hint or hints.idempotent_hint)),
            timeout=timedelta(seconds=self._server.timeout_seconds),
            call_type=CallType.MCP_SERVER,
            harness=self.name,
            parameters_schema={"properties": {}, **described.input_schema, "type": "object"},
        )

    def _gated(self, listed: Sequence[types.Tool]) -> frozenset[str]:
        gated, names = self._server.requires_permission, frozenset(tool.name for tool in listed)
        if isinstance(gated, bool):
            return names if gated else frozenset()
        if missing := frozenset(gated) - names:
            # A name that is misspelt here must not open what it should close.
            _log.warning("mcp tools that need permission are missing", server=self.name, tools=sorted(missing))
            return names
        return frozenset(gated)

    def _work(self, name: str) -> Work:
        async def call(context: ToolContext, arguments: Mapping[str, Any]) -> ToolResult:
            return result_of_call(await self._session.call(name, arguments), self._session.secrets)

        return call
