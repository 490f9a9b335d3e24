"""A pydantic-ai agent, hosted as it is."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.toolsets import FunctionToolset

from hosting.adapters.models.access import Access
from hosting.adapters.models.attached import Files, files_of
from hosting.adapters.models.candidates import Candidates
from hosting.adapters.models.care import Care
from hosting.adapters.models.chat_settings import not_taken, settings_of, tells_reasoning
from hosting.adapters.models.choice import ModelChoice, ModelRefused
from hosting.adapters.models.deps import Deps, deps_by_type, make_deps
from hosting.adapters.models.faults import Told
from hosting.adapters.models.hosted_run import HostedRun
from hosting.adapters.models.listed_tools import ListedTools
from hosting.adapters.models.prompts import model_messages, prompt_of, said_before
from hosting.adapters.models.run_arguments import NO_LIMIT, capabilities_of, instructions_of, run_settings
from hosting.adapters.models.run_model import RunModel, run_model, wanted_by
from hosting.adapters.models.structured import AnswerNameTaken, answer_name, output_of, telling_misfits
from hosting.adapters.models.summaries import summary_by
from hosting.adapters.models.tool_source import FixedTools, SourceToolset
from hosting.adapters.models.turn import ModelTurn
from hosting.domain.errors import InvalidInput, RunConfigRefused
from hosting.domain.model_config import NO_MODEL_CONFIG, ModelConfig, not_honoured
from hosting.ports.agents import MODEL_LIMITS, Limits, RunContext
from hosting.ports.summaries import Summary, SummaryContext, ToSummarize
from hosting.ports.tools import Tool
from middleware.compaction_policy import CompactionPolicy

_log = structlog.get_logger("branchline")


class ModelAgent:
    """An agent that is a pydantic-ai one: its own loop decides, and what it does with models and tools is durable.

    `wrapped` is that agent, and `tools` are offered to its model besides its own. Without `deps` an agent whose
    `deps_type` is RunContext is given the run's context as its deps, and one that says no type None.
    With `candidates` each run has one of these, by a key that is looked up for it, unless its input says which model
    it is. `project_name` says whose credentials the runs have, see OfProject. `compaction` says when a history is
    compacted; its first model makes the summaries, or the `summary_model` of the same provider.
    """

    def __init__(
        self,
        agent_id: str,
        agent: AbstractAgent[Any, Any],
        *,
        name: str | None = None,
        deps: Deps | None = None,
        limits: Limits = MODEL_LIMITS,
        tools: Sequence[Tool] = (),
        tells_reasoning: bool = True,
        candidates: Candidates | None = None,
        project_name: str | None = None,
        compaction: CompactionPolicy | None = None,
        summary_model: str | None = None,
    ) -> None:
        self.agent_id = agent_id
        self.name = name or agent.name or agent_id
        self.limits = limits
        self.project_name = project_name
        self.compaction = compaction
        self.can_summarize = True
        self._summary_model = summary_model
        self.wrapped = agent
        self.deps = deps or deps_by_type(agent_id, agent.deps_type)
        self._tools = tuple(tools)
        self._tells_reasoning = tells_reasoning
        self._candidates = candidates
        self._care = Care().within(limits)

    def ask_with(self, care: Care) -> None:
        """See AsksProviders.ask_with."""
        self._care = care.within(self.limits)
        if self.wrapped.model is None:
            # A capability may choose one as the agent runs, and so may an input; nobody knows before.
            _log.warning(
                "an agent has no model of its own; its runs fail unless a capability or their runConfig brings one",
                agent=self.agent_id,
            )

    async def check_config(self, config: ModelConfig, credentials: Collection[str]) -> None:
        """See Configurable.check_config."""
        await asyncio.to_thread(self._check, config, credentials)

    async def summarize(self, context: SummaryContext, wanted: ToSummarize) -> Summary:
        """See Summarizing.summarize."""
        if self._candidates is None:
            model = self._own_model()
        else:
            model = await self._candidates.first.named(self._summary_model).model(self._care.providers, context)
        if model is None:
            raise ModelRefused("The agent has no model of its own that could summarise.")
        return await summary_by(model, self._care, context, wanted)

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        config = context.config.model or NO_MODEL_CONFIG
        said = await said_before(context)
        files = await files_of(context, context.input[-1], said)
        told = instructions_of(context, config)
        turn = self._turn(context, config, files)
        async with AsyncExitStack() as stack:
            chosen = await self._chosen(context, config)
            if chosen.closes is not None:
                await stack.enter_async_context(chosen.closes)
            await stack.enter_async_context(self._care.providers.asked(chosen.model or self.wrapped.model))
            if config.system_instructions is not None:
                stack.enter_context(self.wrapped.override(instructions=told))
            stack.enter_context(Told(None))
            stack.enter_context(telling_misfits(config.structured_output))
            await self.wrapped.run(
                turn.prompt,
                message_history=list(model_messages(said, files)),
                output_type=None if config.structured_output is None else output_of(config.structured_output),
                model=chosen.model,
                model_settings=run_settings(self._settings(config, chosen.model)),
                usage_limits=NO_LIMIT,
                instructions=told,
                deps=await make_deps(self.deps, context),
                capabilities=[*capabilities_of(config), HostedRun(turn)],
                infer_name=False,
            )

    def _turn(self, context: RunContext, config: ModelConfig, files: Files) -> ModelTurn:
        return ModelTurn(
            context,
            ListedTools(context, self._tools),
            self._care,
            tells_reasoning=tells_reasoning(config.chat, otherwise=self._tells_reasoning),
            skips_tools=config.skip_tools,
            prompt=prompt_of(context.input[-1], files),
            answer_name=answer_name(config.structured_output),
        )

    async def _chosen(self, context: RunContext, config: ModelConfig) -> RunModel:
        providers = self._care.providers
        if self._candidates is not None and not config.is_apart:
            return RunModel(await self._with_key(self._candidates, context, config))
        if config.asks_for_model or config.chat.reasoning is not None:
            return await asyncio.to_thread(run_model, providers, self._own_model(), config)
        # What the agent does by itself, it goes on doing by itself: capabilities of its own may choose its model.
        return RunModel(None)

    async def _with_key(self, candidates: Candidates, context: RunContext, config: ModelConfig) -> Model | None:
        """Return the model of a run that says no key: with the agent's, or its tenant's for that provider."""
        providers = self._care.providers
        if not config.asks_for_model:
            return await candidates.chosen(context, providers)
        if (other := self._other(config)) is not None:
            return await other.model(providers, context)
        own = await candidates.first.model(providers, context)
        return (await asyncio.to_thread(run_model, providers, own, config)).model

    def _other(self, config: ModelConfig) -> Access | None:
        """Return how a run comes by the model of another provider that it names; None when it names none."""
        if self._candidates is None or config.provider_key is None or config.model_name is None:
            return None
        return self._candidates.other(config.provider_key, config.model_name)

    def _settings(self, config: ModelConfig, model: Model | None) -> ModelSettings:
        if self._candidates is None or not self._candidates.is_choice or model is None or config.asks_for_model:
            return settings_of(config, model)
        return self._candidates.settings(model, config)

    def _own_model(self) -> Model | None:
        """Return the agent's own model; None when it has one only as it runs, or then finds that it has none."""
        own = self.wrapped.model
        if not isinstance(own, str):
            return own if isinstance(own, Model) else None
        with suppress(ModelRefused):
            return self._care.providers.model(ModelChoice.parse(own))
        return None

    def _known_names(self) -> set[str]:
        """Return the names of the tools that the agent has in every run; a client or an MCP server may bring others."""
        names = {tool.name for tool in self._tools}
        for toolset in self.wrapped.toolsets:
            if isinstance(toolset, FunctionToolset):
                names.update(toolset.tools)
            elif isinstance(toolset, SourceToolset) and isinstance(toolset.source, FixedTools):
                names.update(toolset.source.names)
        return names

    def _models(self, config: ModelConfig, credentials: Collection[str]) -> Sequence[Model | None]:
        """Return the models of which one is to answer a run."""
        if self._candidates is not None and not config.asks_for_model:
            return list(self._candidates.models.values())
        other = None if config.is_apart else self._other(config)
        try:
            if other is not None:
                return [other.sample(self._care.providers, credentials)]
            return [run_model(self._care.providers, self._own_model(), config).model]
        except ModelRefused as error:
            raise RunConfigRefused(f"`runConfig.{wanted_by(config)}` cannot be honoured: {error}") from error

    def _check(self, config: ModelConfig, credentials: Collection[str]) -> None:
        for model in self._models(config, credentials):
            refused = None if model is None else not_taken(model, config)
            if refused is not None and model is not None:
                raise not_honoured(refused, by=f"The model {model.model_name!r:.100}")
        if config.structured_output is not None:
            output_of(config.structured_output)
            name = answer_name(config.structured_output)
            if name is not None and not config.skip_tools and name in self._known_names():
                raise InvalidInput(str(AnswerNameTaken(name)))
            if getattr(self.wrapped, "_output_validators", None):
                raise not_honoured(
                    "structuredOutput", by=f"The agent {self.name!r:.100}, which checks its own answers,"
                )
