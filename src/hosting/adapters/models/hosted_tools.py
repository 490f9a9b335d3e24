"""All tools of a pydantic-ai agent, called through the batch of the message that called them."""

from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_ai import RunContext as AgentRun
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ToolsetTool, WrapperToolset

from events.tools import ToolResult
from hosting.adapters.models.returns import result_of, retry_result, value_of
from hosting.adapters.models.turn import ModelTurn
from hosting.ports.tools import Tool, ToolContext

_RETRY_SAFELY: Final = "safe_to_retry"


@dataclass
class HostedTools(WrapperToolset[Any]):
    """Gates the calls of the tools that it wraps, and makes each of them once."""

    turn: ModelTurn

    async def get_tools(self, ctx: AgentRun[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return the tools; those that need approval ask for it as every tool here does, by an interaction."""
        tools = await super().get_tools(ctx)
        self.turn.known = {name: self.turn.listed.tool(name) or _tool(tool.tool_def) for name, tool in tools.items()}
        return {
            name: replace(tool, tool_def=replace(tool.tool_def, kind="function"))
            if tool.tool_def.kind == "unapproved"
            else tool
            for name, tool in tools.items()
        }

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: AgentRun[Any], tool: ToolsetTool[Any]) -> Any:
        """Make a call in its batch; raises ModelRetry and ToolFailed for what the model must be told so."""
        batch = self.turn.batch
        if batch is None or ctx.tool_call_id is None:
            raise RuntimeError("Tools are called by a message.")
        listed = self.turn.listed.tool(name)

        async def make(context: ToolContext) -> Any:
            if listed is not None:
                return await listed.work(context, tool_args)
            try:
                return result_of(await super(HostedTools, self).call_tool(name, tool_args, ctx, tool))
            except ModelRetry as error:
                return retry_result(error)

        return value_of(await batch.make(ctx.tool_call_id, make))


def _tool(definition: ToolDefinition) -> Tool:
    return Tool(
        definition.name,
        _made_by_pydantic,
        description=definition.description,
        requires_permission=definition.kind == "unapproved",
        safe_to_retry=bool((definition.metadata or {}).get(_RETRY_SAFELY)),
    )


async def _made_by_pydantic(context: ToolContext, arguments: Any) -> ToolResult:
    raise RuntimeError("A tool of pydantic-ai's is called in a batch.")
