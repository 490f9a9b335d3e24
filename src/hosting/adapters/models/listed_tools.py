"""The tools of this server and of the client, listed for a model."""

from collections.abc import Sequence
from typing import Any

from pydantic_ai import RunContext as AgentRun
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool

from hosting.adapters.models.shown_tool import shown_tool
from hosting.ports.agents import RunContext
from hosting.ports.tools import Tool


class ListedTools(AbstractToolset[Any]):
    """Lists the tools given, and what the client offers now; they are called by the context, never by this."""

    def __init__(self, context: RunContext, tools: Sequence[Tool]) -> None:
        self._context = context
        self._tools = {tool.name: tool for tool in tools}

    @property
    def id(self) -> str | None:
        """The toolset's name in errors."""
        return "branchline"

    def tool(self, name: str) -> Tool | None:
        """Return a tool of this server."""
        return self._tools.get(name)

    async def get_tools(self, ctx: AgentRun[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return what a model may call now."""
        listed = {tool.name: (tool.description, dict(tool.parameters_schema)) for tool in self._tools.values()}
        for offered in await self._context.client_tools():
            listed.setdefault(offered.name, (offered.description, offered.parameters_schema))
        return {name: self._listed(name, description, schema) for name, (description, schema) in listed.items()}

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: AgentRun[Any], tool: ToolsetTool[Any]) -> Any:
        """Never called: the context makes these calls."""
        raise RuntimeError(f"The tool {name} is called by the run's context.")

    def _listed(self, name: str, description: str | None, schema: dict[str, Any]) -> ToolsetTool[Any]:
        definition = ToolDefinition(name=name, description=description, parameters_json_schema=schema)
        return shown_tool(self, definition)
