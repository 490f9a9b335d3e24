"""Summaries that a model makes."""

from collections.abc import AsyncIterable

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponseStreamEvent,
    SystemPromptPart,
    TextPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse

from hosting.adapters.models.asking import Asking
from hosting.adapters.models.care import Care
from hosting.adapters.models.usage import usage_of
from hosting.ports.summaries import Summary, SummaryContext, ToSummarize


async def summary_by(model: Model, care: Care, context: SummaryContext, wanted: ToSummarize) -> Summary:
    """Return a summary that a model makes in one call, without tools; raises as Asking.ask does."""
    said: list[ModelRequestPart] = [
        SystemPromptPart(content=wanted.instructions),
        UserPromptPart(content=wanted.text),
    ]
    messages: list[ModelMessage] = [ModelRequest(parts=said)]
    async with care.providers.asked(model):
        asking = Asking(care, model, context.run_id)
        response = await asking.ask(messages, None, ModelRequestParameters(), _read)
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    return Summary(text.strip(), usage_of(response))


async def _read(stream: StreamedResponse, events: AsyncIterable[ModelResponseStreamEvent]) -> ModelResponse:
    async for _ in events:
        pass
    return stream.get()
