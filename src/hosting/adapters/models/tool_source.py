"""Where tools come from that a model is shown, and how pydantic-ai sees them."""

from collections.abc import Sequence
from typing import Any, Final, Protocol, Self

from pydantic_ai import RunContext as AgentRun
from pydantic_ai.messages import ModelMessage
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool

from hosting.adapters.models.shown_tool import shown_tool
from hosting.ports.tools import Tool

_OWN: Final = "branchline"


class ToolSource(Protocol):
    """Tools that may come and go while an agent runs; all runs of the agent share it."""

    @property
    def name(self) -> str:
        """What people and models call it."""
        ...

    async def tools(self, said: Sequence[ModelMessage]) -> Sequence[Tool]:
        """Return what a model can call after this much of a conversation."""
        ...

    async def notice(self, said: Sequence[ModelMessage]) -> str | None:
        """Return what a model must know beside them; asked after `tools`."""
        ...

    async def enter(self) -> None:
        """Learn that a run begins."""
        ...

    async def leave(self) -> None:
        """Learn that a run that has begun is over."""
        ...

    async def close(self) -> None:
        """Let go of everything; asked for tools again, it begins anew."""
        ...


class FixedTools:
    """Tools that are always there."""

    def __init__(self, name: str, tools: Sequence[Tool]) -> None:
        self.name = name
        self._tools = tuple(tools)

    @property
    def names(self) -> list[str]:
        """What the tools are called."""
        return [tool.name for tool in self._tools]

    async def tools(self, said: Sequence[ModelMessage]) -> Sequence[Tool]:
        """See ToolSource.tools."""
        return self._tools

    async def notice(self, said: Sequence[ModelMessage]) -> str | None:
        """See ToolSource.notice."""
        return None

    async def enter(self) -> None:
        """See ToolSource.enter."""

    async def leave(self) -> None:
        """See ToolSource.leave."""

    async def close(self) -> None:
        """See ToolSource.close."""


class SourceToolset(AbstractToolset[Any]):
    """A source of tools as a toolset of pydantic-ai's; the tools are called by the run, never by this."""

    def __init__(self, source: ToolSource) -> None:
        self.source = source

    @property
    def id(self) -> str | None:
        """The toolset's name in errors."""
        return self.source.name

    async def __aenter__(self) -> Self:
        await self.source.enter()
        return self

    async def __aexit__(self, *args: Any) -> bool | None:
        await self.source.leave()
        return None

    async def get_tools(self, ctx: AgentRun[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return what a model may call now."""
        return {tool.name: shown_tool(self, _definition(tool)) for tool in await self.source.tools(ctx.messages)}

    async def get_instructions(self, ctx: AgentRun[Any]) -> str | None:
        """Return what a model must know beside the tools."""
        return await self.source.notice(ctx.messages)

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: AgentRun[Any], tool: ToolsetTool[Any]) -> Any:
        """Never called: a hosted run makes these calls."""
        raise RuntimeError(f"The tool {name} is called by a hosted run.")


def own_tool(definition: ToolDefinition) -> Tool | None:
    """Return the tool that a definition is of, if it is one of a ToolSource."""
    tool = (definition.metadata or {}).get(_OWN)
    return tool if isinstance(tool, Tool) else None


def _definition(tool: Tool) -> ToolDefinition:
    return ToolDefinition(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=dict(tool.parameters_schema),
        kind="unapproved" if tool.requires_permission else "function",
        metadata={_OWN: tool},
    )
