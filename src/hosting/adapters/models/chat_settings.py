"""What is said of a model's answers, in pydantic-ai's words; and what of that a model does not take."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from pydantic_ai.models import Model
from pydantic_ai.profiles.anthropic import ANTHROPIC_SAMPLING_PARAMS
from pydantic_ai.profiles.openai import SAMPLING_PARAMS
from pydantic_ai.settings import ModelSettings, ThinkingLevel

from hosting.adapters.models.making import models_inside
from hosting.adapters.models.secrets import revealed
from hosting.domain.model_config import ChatOptions, Effort, ModelConfig, OutputMode, Reasoning, ReasoningOutput

_SETTINGS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_output_tokens": "max_tokens",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_WIRE_NAMES: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "stop_sequences": "stopSequences",
    "thinking": "reasoning.effort",
}
_EFFORTS: Final[Mapping[Effort, ThinkingLevel]] = {
    Effort.NONE: False,
    Effort.LOW: "low",
    Effort.MEDIUM: "medium",
    Effort.HIGH: "high",
    Effort.EXTRA_HIGH: "xhigh",
}
_SUMMARIES: Final = {ReasoningOutput.SUMMARY: "auto", ReasoningOutput.FULL: "detailed"}


def settings_of(config: ModelConfig, model: Model | None) -> ModelSettings:
    """Return the settings that a model takes for these; what is left out stays as the agent has it."""
    chat = config.chat
    said = {name: getattr(chat, own) for own, name in _SETTINGS.items()}
    settings: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if chat.stop_sequences:
        settings["stop_sequences"] = list(chat.stop_sequences)
    if body := {**chat.additional_properties, **config.provider_options}:
        settings["extra_body"] = body
    if config.custom_headers:
        settings["extra_headers"] = revealed(config.custom_headers)
    if chat.reasoning is not None:
        settings |= _thinking(chat.reasoning, model)
    return cast("ModelSettings", settings)


def not_taken(model: Model, config: ModelConfig) -> str | None:
    """Return the name of the first member of `runConfig` that a model does not take, if there is any."""
    return next((name for inside in models_inside(model) for name in _not_taken(inside, config)), None)


def tells_reasoning(chat: ChatOptions, *, otherwise: bool = True) -> bool:
    """Say whether what the model thinks is told at all."""
    output = chat.reasoning.output if chat.reasoning else None
    return otherwise if output is None else output is not ReasoningOutput.NONE


def _not_taken(model: Model, config: ModelConfig) -> Iterator[str]:
    chat, refused = config.chat, _refused_settings(model, config.chat)
    asked = settings_of(config, model)
    yield from (f"chat.{wire}" for name, wire in _WIRE_NAMES.items() if name in asked and name in refused)
    if chat.additional_properties and "extra_body" in refused:
        yield "chat.additionalProperties"
    if config.provider_options and "extra_body" in refused:
        yield "providerOptionsJson"
    if config.custom_headers and "extra_headers" in refused:
        yield "customHeaders"
    output = chat.reasoning.output if chat.reasoning else None
    if output in _SUMMARIES and not _told_as(model, output, chat.reasoning.effort if chat.reasoning else None):
        yield "chat.reasoning.output"
    if config.structured_output is not None and not _takes_form(model, config.structured_output.mode):
        yield "structuredOutput.mode"


def _refused_settings(model: Model, chat: ChatOptions) -> frozenset[str]:
    """Return the settings that a model leaves out of its requests, or its provider refuses."""
    profile = cast("Mapping[str, Any]", model.profile)
    refused = set(model.unsupported_settings) | set(profile.get("openai_unsupported_model_settings", ()))
    if profile.get("anthropic_disallows_sampling_settings"):
        refused |= set(ANTHROPIC_SAMPLING_PARAMS)
    effort = chat.reasoning.effort if chat.reasoning else None
    if profile.get("openai_supports_reasoning") and _reasons(profile, effort):
        refused |= set(SAMPLING_PARAMS)
    always = bool(profile.get("thinking_always_enabled"))
    if effort is Effort.NONE if always else not profile.get("supports_thinking"):
        refused.add("thinking")
    return frozenset(refused)


def _reasons(profile: Mapping[str, Any], effort: Effort | None) -> bool:
    """Say whether a model of OpenAI's reasons: while it does, it takes no sampling settings."""
    efforts = profile.get("openai_reasoning_efforts")
    can_be_off = profile.get("openai_supports_reasoning_effort_none", False) if efforts is None else "none" in efforts
    if not can_be_off:
        return True
    return bool(profile.get("thinking_enabled_by_default")) if effort is None else effort is not Effort.NONE


def _thinking(reasoning: Reasoning, model: Model | None) -> dict[str, Any]:
    settings: dict[str, Any] = {} if reasoning.effort is None else {"thinking": _EFFORTS[reasoning.effort]}
    if model is not None and reasoning.output in _SUMMARIES:
        settings |= _told_as(model, reasoning.output, reasoning.effort) or {}
    return settings


def _told_as(model: Model, output: ReasoningOutput, effort: Effort | None) -> dict[str, Any] | None:
    """Return the settings by which a model tells what it thinks; None when it has no say in that."""
    kind = type(model).__name__
    if not (model.profile.get("supports_thinking") or model.profile.get("thinking_always_enabled")):
        return None
    if kind == "OpenAIResponsesModel":
        return {"openai_reasoning_summary": _SUMMARIES[output]}
    if kind == "GoogleModel" and output is ReasoningOutput.SUMMARY:
        # With an effort it is told anyway, and a setting of Google's own would take that one's place.
        return {"google_thinking_config": {"include_thoughts": True}} if effort is None else {}
    return None


def _takes_form(model: Model, mode: OutputMode) -> bool:
    profile = cast("Mapping[str, Any]", model.profile)
    return bool(profile.get("supports_json_schema_output" if mode is OutputMode.NATIVE else "supports_tools"))
