"""A model's answer as a stream, whether or not the model can stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings


@asynccontextmanager
async def streamed(
    model: Model, messages: list[ModelMessage], settings: ModelSettings | None, parameters: ModelRequestParameters
) -> AsyncIterator[StreamedResponse]:
    """Open a stream of an answer; that of a model which cannot stream has the whole answer at once."""
    if _can_stream(model):
        async with model.request_stream(messages, settings, parameters) as stream:
            yield stream
    else:
        response = await model.request(messages, settings, parameters)
        yield CompletedStreamedResponse(response, model_request_parameters=parameters, replay_events=True)


def _can_stream(model: Model) -> bool:
    if isinstance(model, WrapperModel):
        return _can_stream(model.wrapped)
    if isinstance(model, FunctionModel):
        return model.stream_function is not None
    return type(model).request_stream is not Model.request_stream
