"""All tools of a pydantic-ai agent, called through the batch of the message that called them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from pydantic_ai import ApprovalRequired, CallDeferred
from pydantic_ai import RunContext as AgentRun
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_ai.toolsets import ToolsetTool, WrapperToolset

from events.tools import ToolResult
from hosting.adapters.models.returns import failed_result, result_of, retry_result, value_of
from hosting.adapters.models.structured import AnswerNameTaken
from hosting.adapters.models.tool_source import own_tool
from hosting.adapters.models.turn import ModelTurn
from hosting.ports.tools import Tool, ToolContext
from middleware.errors import LeftToClient, PermissionNeeded, WrongArguments

_RETRY_SAFELY: Final = "safe_to_retry"
_ELSEWHERE: Final = "external"


@dataclass
class HostedTools(WrapperToolset[Any]):
    """Gates the calls of the tools that it wraps, and makes each of them once; lists this server's beside them."""

    turn: ModelTurn

    async def get_tools(self, ctx: AgentRun[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return the tools; those that need approval ask for it as every tool here does, by an interaction.

        Where the agent has a tool of the same name as the server or the client, the agent's is the one.
        """
        if self.turn.skips_tools:
            return {}
        listed = await self.turn.listed.get_tools(ctx)
        tools = {**listed, **await super().get_tools(ctx)}
        if (name := self.turn.answer_name) is not None and name in tools:
            raise AnswerNameTaken(name)
        self.turn.known = {
            name: self._own(tool) or _tool(tool, ctx) for name, tool in tools.items() if not self._is_clients(tool)
        }
        self.turn.offered = frozenset(tools)
        # Of another kind, pydantic-ai would not call them, but end its run.
        return {name: replace(tool, tool_def=replace(tool.tool_def, kind="function")) for name, tool in tools.items()}

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: AgentRun[Any], tool: ToolsetTool[Any]) -> Any:
        """Make a call in its batch; raises ModelRetry and ToolFailed for what the model must be told so."""
        batch = self.turn.batch
        if batch is None or ctx.tool_call_id is None:
            raise RuntimeError("Tools are called by a message.")

        async def make(context: ToolContext) -> Any:
            known = self.turn.known.get(name)
            if known is not None and known.work is not _made_by_pydantic:
                return await known.work(context, tool_args)
            approved = replace(ctx, tool_call_approved=ctx.tool_call_approved or context.is_permitted)
            try:
                return result_of(await super(HostedTools, self).call_tool(name, tool_args, approved, tool))
            except ModelRetry as error:
                return retry_result(error)
            except ToolFailed as error:
                return failed_result(error)
            except ApprovalRequired as error:
                raise PermissionNeeded from error
            except CallDeferred as error:
                raise LeftToClient from error

        return value_of(await batch.make(ctx.tool_call_id, make))

    def _own(self, tool: ToolsetTool[Any]) -> Tool | None:
        if tool.toolset is self.turn.listed:
            return self.turn.listed.tool(tool.tool_def.name)
        return own_tool(tool.tool_def)

    def _is_clients(self, tool: ToolsetTool[Any]) -> bool:
        return tool.toolset is self.turn.listed and self._own(tool) is None


def _tool(tool: ToolsetTool[Any], ctx: AgentRun[Any]) -> Tool:
    definition = tool.tool_def
    is_gated, is_elsewhere = definition.kind == "unapproved", definition.kind == _ELSEWHERE
    return Tool(
        definition.name,
        _leave if is_elsewhere else _made_by_pydantic,
        description=definition.description,
        requires_permission=is_gated,
        safe_to_retry=is_elsewhere or bool((definition.metadata or {}).get(_RETRY_SAFELY)),
        # pydantic-ai looks at all arguments itself; nobody must be asked before about what cannot be called.
        check=_check(tool, ctx) if is_gated else None,
    )


def _check(tool: ToolsetTool[Any], ctx: AgentRun[Any]) -> Callable[[Mapping[str, Any]], object]:
    def check(arguments: Mapping[str, Any]) -> None:
        try:
            tool.args_validator.validate_json(msgspec.json.encode(arguments), context=ctx.validation_context)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise WrongArguments(f"The arguments do not fit: {wrong}") from error

    return check


async def _leave(context: ToolContext, arguments: Any) -> ToolResult:
    raise LeftToClient


async def _made_by_pydantic(context: ToolContext, arguments: Any) -> ToolResult:
    raise RuntimeError("A tool of pydantic-ai's is called in a batch.")
