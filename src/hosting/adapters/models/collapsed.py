"""Toolsets that start collapsed: one tool that stands for many, until a model calls it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart

from events.tools import CallType
from hosting.adapters.models.tool_source import ToolSource
from hosting.adapters.models.toolset_failed import ToolsetFailed
from hosting.ports.tools import Tool, ToolContext


class Collapsed:
    """A ToolSource that shows one tool, called as it is, and those behind it once that has been called.

    Whether it has is read from the conversation, so that nothing is lost with the server, and a fork knows it too.
    """

    def __init__(self, source: ToolSource, description: str) -> None:
        self.name = source.name
        self._source = source
        self._stand_in = Tool(
            source.name,
            self._expand,
            description=description,
            # It has no effect but what it says.
            safe_to_retry=True,
            call_type=CallType.SKILL,
            harness=source.name,
        )

    async def tools(self, said: Sequence[ModelMessage]) -> Sequence[Tool]:
        """See ToolSource.tools."""
        return await self._source.tools(said) if self._is_expanded(said) else (self._stand_in,)

    async def notice(self, said: Sequence[ModelMessage]) -> str | None:
        """See ToolSource.notice."""
        return await self._source.notice(said) if self._is_expanded(said) else None

    async def enter(self) -> None:
        """See ToolSource.enter."""
        await self._source.enter()

    async def leave(self) -> None:
        """See ToolSource.leave."""
        await self._source.leave()

    async def close(self) -> None:
        """See ToolSource.close."""
        await self._source.close()

    async def _expand(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        tools = await self._source.tools(())
        if not tools:
            raise ToolsetFailed(await self._source.notice(()) or f"{self.name} has no tools now.")
        listed = "\n".join(f"- {tool.name}: {(tool.description or '').strip().partition(chr(10))[0]}" for tool in tools)
        return f"You can call these tools of {self.name} now:\n{listed}"

    def _is_expanded(self, said: Sequence[ModelMessage]) -> bool:
        return any(
            isinstance(part, ToolReturnPart) and part.tool_name == self.name and part.outcome == "success"
            for message in said
            if isinstance(message, ModelRequest)
            for part in message.parts
        )
