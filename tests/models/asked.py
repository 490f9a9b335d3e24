"""One call of a model, as a run makes it, without the run."""

from collections.abc import AsyncIterator

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ModelResponseStreamEvent
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from events.ids import RunId
from hosting.adapters.models.asking import Asking
from hosting.adapters.models.care import Care

HELLO: list[ModelMessage] = [ModelRequest.user_text_prompt("Hello")]


async def ask(model: Model, settings: ModelSettings | None = None) -> ModelResponse:
    """Ask a model once, and return the whole answer."""
    asking = Asking(Care(), model, RunId("run_1"))
    return await asking.ask(HELLO, settings, ModelRequestParameters(), _read)


async def _read(stream: StreamedResponse, events: AsyncIterator[ModelResponseStreamEvent]) -> ModelResponse:
    async for _ in events:
        pass
    return stream.get()
