"""How a pydantic-ai run becomes durable: its model and its tools go through the run's context."""

from dataclasses import dataclass
from typing import Any

from pydantic_ai import CallToolsNode, ModelRequestNode
from pydantic_ai import RunContext as AgentRun
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.toolsets import AbstractToolset

from events.tools import ResultType, ToolResult
from hosting.adapters.models.batch import Batch
from hosting.adapters.models.hosted_model import HostedModel
from hosting.adapters.models.hosted_tools import HostedTools
from hosting.adapters.models.misfit import misfit_in
from hosting.adapters.models.turn import ModelTurn


@dataclass
class HostedRun(AbstractCapability[Any]):
    """Puts each model call and each batch of tool calls of one run behind its context."""

    turn: ModelTurn

    def get_wrapper_model(self, model: Model) -> Model:
        """Let the calls of a model be steps."""
        return HostedModel(model, self.turn)

    def get_wrapper_toolset(self, toolset: AbstractToolset[Any]) -> AbstractToolset[Any]:
        """Let the calls of all tools be steps."""
        return HostedTools(toolset, self.turn)

    async def wrap_node_run(self, ctx: AgentRun[Any], *, node: Any, handler: Any) -> Any:
        """Make the calls of one message as one batch; take back a message that is no answer to the agent."""
        turn = self.turn
        message = turn.message
        if not isinstance(node, CallToolsNode) or message is None:
            return await handler(node)
        turn.message = None
        if not message.calls:
            following = await handler(node)
            misfit = misfit_in(following)
            if misfit is not None:
                await turn.context.take_back(message, misfit)
            return following
        async with Batch(turn.context, message, turn.known, turn.offered) as turn.batch:
            following = await handler(node)
            turn.batch.give_up(_answers(following))
        return following


def _answers(node: Any) -> dict[str, ToolResult]:
    """Return what pydantic-ai itself answers to calls: to tools that do not exist, and to arguments that do not fit."""
    if not isinstance(node, ModelRequestNode):
        return {}
    return {
        part.tool_call_id: ToolResult(text=part.model_response_str(wrap_if_error=False), result_type=ResultType.ERROR)
        for part in node.request.parts
        if isinstance(part, ToolReturnPart)
    }
