"""Files of earlier messages that a model cannot be given: no reason to refuse whatever is said after them."""

from collections.abc import AsyncIterable, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponseStreamEvent,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
    is_multi_modal_content,
)
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from hosting.adapters.models.asking import Asking, Read
from hosting.adapters.models.failures import ModelCallRefused

SPARED: Final = "(a file that cannot be given to this model)"

Prompt = str | Sequence[UserContent] | None


async def ask_sparing(
    asking: Asking,
    messages: list[ModelMessage],
    settings: ModelSettings | None,
    parameters: ModelRequestParameters,
    read: Read,
    *,
    prompt: Prompt,
) -> ModelResponse:
    """Ask a model, and once more without the files of earlier messages when it refuses the call with them.

    Those of `prompt`, which the user has sent just now, stay: that they are refused is what the user must be told.
    """
    has_begun = False

    async def reading(stream: StreamedResponse, events: AsyncIterable[ModelResponseStreamEvent]) -> ModelResponse:
        nonlocal has_begun
        has_begun = True
        return await read(stream, events)

    try:
        return await asking.ask(messages, settings, parameters, reading)
    except ModelCallRefused as refused:
        spared = without_files(messages, prompt)
        # What is wrong with the key or the model's name is wrong without files, too.
        if has_begun or type(refused) is not ModelCallRefused or spared == messages:
            raise
    return await asking.ask(spared, settings, parameters, read)


def without_files(messages: Sequence[ModelMessage], prompt: Prompt) -> list[ModelMessage]:
    """Return a conversation with words instead of its files; those of `prompt` stay."""
    return [
        replace(message, parts=[_without(part, prompt) for part in message.parts])
        if isinstance(message, ModelRequest)
        else message
        for message in messages
    ]


def _without(part: ModelRequestPart, prompt: Prompt) -> ModelRequestPart:
    if isinstance(part, ToolReturnPart):
        return replace(part, content=_value(part.content))
    if isinstance(part, UserPromptPart) and not isinstance(part.content, str) and part.content != prompt:
        return replace(part, content=[_value(each) for each in part.content])
    return part


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return SPARED if is_multi_modal_content(value) else value
