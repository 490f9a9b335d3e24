"""What a run's configuration means to pydantic-ai: how the agent is run this time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from pydantic_ai import RunContext as AgentRun
from pydantic_ai.capabilities import AbstractCapability, ReinjectSystemPrompt
from pydantic_ai.messages import ModelMessage, ModelRequest, SystemPromptPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from hosting.domain.model_config import ModelConfig
from hosting.ports.agents import RunContext

NO_LIMIT: Final = UsageLimits(request_limit=None)
"""How many model calls a run makes is the user's to say (CONTINUATION_REQUEST), not a number of pydantic-ai's."""

_MERGED: Final = frozenset({"extra_body", "extra_headers"})


def instructions_of(context: RunContext, config: ModelConfig) -> list[str | Callable[[], Awaitable[str | None]]]:
    """Return what the model is told beside, or with `systemInstructions` instead of, the agent's own instructions."""

    async def of_client() -> str | None:
        return "\n\n".join(await context.client_instructions()) or None

    said = (config.system_instructions, config.additional_system_instructions)
    return [*(text for text in said if text), of_client]


def run_settings(settings: ModelSettings) -> Callable[[AgentRun[Any]], ModelSettings]:
    """Return the settings of a run, with what the agent itself sends in the body and the headers beside what is new."""

    def merged(run: AgentRun[Any]) -> ModelSettings:
        own = cast("dict[str, Any]", run.model_settings or {})
        return cast(
            "ModelSettings",
            {
                name: {**(own.get(name) or {}), **value} if name in _MERGED else value
                for name, value in cast("dict[str, Any]", settings).items()
            },
        )

    return merged


def capabilities_of(config: ModelConfig) -> list[AbstractCapability[Any]]:
    """Return what makes the agent's system prompt and tools those of this run."""
    # A conversation that goes on has the system prompt of the agent as it is now.
    prompt = ReinjectSystemPrompt[Any]() if config.system_instructions is None else WithoutOwnPrompt()
    return [prompt, WithoutTools()] if config.skip_tools else [prompt]


@dataclass
class WithoutOwnPrompt(AbstractCapability[Any]):
    """Takes the agent's own system prompt out of what the model is told; those of the conversation stay."""

    async def before_model_request(
        self, ctx: AgentRun[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """See AbstractCapability.before_model_request."""
        if ctx.agent is None:
            return request_context
        own = await ctx.agent.system_prompt_parts(deps=ctx.deps, prompt=ctx.prompt, usage=ctx.usage)
        texts = frozenset(part.content for part in own)
        ctx.messages[:] = _without(ctx.messages, texts)
        return replace(request_context, messages=_without(request_context.messages, texts))


@dataclass
class WithoutTools(AbstractCapability[Any]):
    """Lets the model see no tool, those of its provider neither; that none can be called is HostedTools' part."""

    async def before_model_request(
        self, ctx: AgentRun[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """See AbstractCapability.before_model_request."""
        parameters = replace(request_context.model_request_parameters, function_tools=[], native_tools=[])
        return replace(request_context, model_request_parameters=parameters)


def _without(messages: Sequence[ModelMessage], texts: frozenset[str]) -> list[ModelMessage]:
    """Leave out the system prompts that are one of these texts; a request stays, also when nothing is left in it."""
    return [
        replace(
            message,
            parts=[
                part for part in message.parts if not (isinstance(part, SystemPromptPart) and part.content in texts)
            ],
        )
        if isinstance(message, ModelRequest)
        else message
        for message in messages
    ]
