"""A pydantic-ai agent, hosted as it is."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import ReinjectSystemPrompt

from hosting.adapters.models.hosted_run import HostedRun
from hosting.adapters.models.listed_tools import ListedTools
from hosting.adapters.models.prompts import prompt_of, said_before
from hosting.adapters.models.turn import ModelTurn
from hosting.ports.agents import Limits, RunContext
from hosting.ports.tools import Tool

MODEL_LIMITS: Final = Limits(model_retries=3)
"""What agents are allowed that say nothing of it themselves."""


class ModelAgent:
    """An agent that is a pydantic-ai one: its own loop decides, and what it does with models and tools is durable.

    `tools` are offered to the model besides the agent's own. An agent whose `deps_type` is RunContext is given the
    run's context as its deps; others are given None.
    """

    def __init__(
        self,
        agent_id: str,
        agent: AbstractAgent[Any, Any],
        *,
        name: str | None = None,
        limits: Limits = MODEL_LIMITS,
        tools: Sequence[Tool] = (),
    ) -> None:
        self.agent_id = agent_id
        self.name = name or agent.name or agent_id
        self.limits = limits
        self._agent = agent
        self._tools = tuple(tools)

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        before = await said_before(context)
        turn = ModelTurn(context, ListedTools(context, self._tools))
        await self._agent.run(
            prompt_of(context.input[-1]),
            message_history=before,
            deps=context if self._agent.deps_type is RunContext else None,
            toolsets=[turn.listed],
            # The first: a conversation that goes on has the system prompt of the agent as it is now.
            capabilities=[ReinjectSystemPrompt(), HostedRun(turn)],
            infer_name=False,
        )
