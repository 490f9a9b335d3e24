"""A pydantic-ai agent, hosted as it is."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.models import Model

from hosting.adapters.models.care import Care
from hosting.adapters.models.chat_settings import not_taken, settings_of, tells_reasoning
from hosting.adapters.models.choice import ModelChoice, ModelRefused
from hosting.adapters.models.faults import Told
from hosting.adapters.models.hosted_run import HostedRun
from hosting.adapters.models.listed_tools import ListedTools
from hosting.adapters.models.prompts import prompt_of, said_before
from hosting.adapters.models.run_arguments import NO_LIMIT, capabilities_of, instructions_of, run_settings
from hosting.adapters.models.run_model import RunModel, run_model, wanted_by
from hosting.adapters.models.structured import output_of, telling_misfits
from hosting.adapters.models.turn import ModelTurn
from hosting.domain.errors import RunConfigRefused
from hosting.domain.model_config import NO_MODEL_CONFIG, ModelConfig, not_honoured
from hosting.ports.agents import MODEL_LIMITS, Limits, RunContext
from hosting.ports.tools import Tool


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
        tells_reasoning: bool = True,
    ) -> None:
        self.agent_id = agent_id
        self.name = name or agent.name or agent_id
        self.limits = limits
        self._agent = agent
        self._tools = tuple(tools)
        self._tells_reasoning = tells_reasoning
        self._care = Care().within(limits)

    def ask_with(self, care: Care) -> None:
        """See AsksProviders.ask_with."""
        self._care = care.within(self.limits)

    async def check_config(self, config: ModelConfig) -> None:
        """See Configurable.check_config."""
        await asyncio.to_thread(self._check, config)

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        config = context.config.model or NO_MODEL_CONFIG
        before = await said_before(context)
        told = instructions_of(context, config)
        turn = self._turn(context, config)
        async with AsyncExitStack() as stack:
            chosen = await self._chosen(config)
            if chosen.closes is not None:
                await stack.enter_async_context(chosen.closes)
            if config.system_instructions is not None:
                stack.enter_context(self._agent.override(instructions=told))
            stack.enter_context(Told(None))
            stack.enter_context(telling_misfits(config.structured_output))
            await self._agent.run(
                prompt_of(context.input[-1]),
                message_history=before,
                output_type=None if config.structured_output is None else output_of(config.structured_output),
                model=chosen.model,
                model_settings=run_settings(settings_of(config, chosen.model)),
                usage_limits=NO_LIMIT,
                instructions=told,
                deps=context if self._agent.deps_type is RunContext else None,
                capabilities=[*capabilities_of(config), HostedRun(turn)],
                infer_name=False,
            )

    def _turn(self, context: RunContext, config: ModelConfig) -> ModelTurn:
        return ModelTurn(
            context,
            ListedTools(context, self._tools),
            self._care,
            tells_reasoning=tells_reasoning(config.chat, otherwise=self._tells_reasoning),
            skips_tools=config.skip_tools,
        )

    async def _chosen(self, config: ModelConfig) -> RunModel:
        if config.asks_for_model or config.chat.reasoning is not None:
            return await asyncio.to_thread(run_model, self._care.providers, self._own_model(), config)
        # What the agent does by itself, it goes on doing by itself: capabilities of its own may choose its model.
        return RunModel(None)

    def _own_model(self) -> Model | None:
        """Return the agent's own model; None when it has one only as it runs, or then finds that it has none."""
        own = self._agent.model
        if not isinstance(own, str):
            return own if isinstance(own, Model) else None
        with suppress(ModelRefused):
            return self._care.providers.model(ModelChoice.parse(own))
        return None

    def _check(self, config: ModelConfig) -> None:
        try:
            model = run_model(self._care.providers, self._own_model(), config).model
        except ModelRefused as error:
            raise RunConfigRefused(f"`runConfig.{wanted_by(config)}` cannot be honoured: {error}") from error
        refused = None if model is None else not_taken(model, config)
        if refused is not None and model is not None:
            raise not_honoured(refused, by=f"The model {model.model_name!r:.100}")
        if config.structured_output is not None:
            output_of(config.structured_output)
            if getattr(self._agent, "_output_validators", None):
                raise not_honoured(
                    "structuredOutput", by=f"The agent {self.name!r:.100}, which checks its own answers,"
                )
