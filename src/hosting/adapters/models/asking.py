"""One call of a provider, with the care of the server that makes it."""

from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from events.ids import RunId
from hosting.adapters.models.care import Care
from hosting.adapters.models.faults import Told, check_whole
from hosting.adapters.models.making import models_inside, tries_again
from hosting.adapters.models.streaming import streamed
from middleware.circuit_breaker import Answered

Read = Callable[[StreamedResponse, AsyncIterable[ModelResponseStreamEvent]], Awaitable[ModelResponse]]
"""Reads the events of an answer, to their end."""

_RETRIES: Final = "max_retries"


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks one model for one run; see ProviderCall."""

    care: Care
    model: Model
    caused_by: RunId

    @property
    def endpoint(self) -> tuple[str, str, str | None]:
        """See ProviderCall.endpoint."""
        return self.model.system, self.model.model_name, self.model.base_url

    @property
    def model_name(self) -> str:
        """See ProviderCall.model_name."""
        return self.model.model_name

    async def ask(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
        read: Read,
    ) -> ModelResponse:
        """Ask the model once, and return its answer as `read` did.

        Raises:
            ModelFailed: it has not answered as it should, or was not asked.
        """
        return await self.care.breaker.around_model_call(self, partial(self._ask, messages, settings, parameters, read))

    async def _ask(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
        read: Read,
        answered: Answered,
    ) -> ModelResponse:
        def characters(event: ModelResponseStreamEvent) -> int:
            answered()
            return _characters(event)

        waiting = self.care.patience.begin(self.model_name)
        with Told(self.model):
            opening = streamed(self.model, messages, _once(self.model, settings), parameters)
            async with waiting.opened(opening) as stream:
                response = await read(stream, waiting.watch(stream, characters))
            check_whole(response, self.model)
        return response


def _once(model: Model, settings: ModelSettings | None) -> ModelSettings:
    """Keep the provider's own client from trying again: unseen tries would multiply those of the run."""
    once = (settings or ModelSettings()).copy()
    if not _tries_again(model):
        # Being told so a client is copied, and a copy reads what the environment says of this server once more.
        once.pop(_RETRIES, None)
    elif _takes_retries(model):
        once[_RETRIES] = 0
    return once


def _tries_again(model: Model) -> bool:
    clients = [None if each.provider is None else each.provider.client for each in models_inside(model)]
    return any(client is None or tries_again(client) for client in clients)


def _takes_retries(model: Model) -> bool:
    if isinstance(model, WrapperModel):
        return _takes_retries(model.wrapped)
    if isinstance(model, FallbackModel):
        return all(_takes_retries(each) for each in model.models)
    return _RETRIES not in model.unsupported_settings


def _characters(event: ModelResponseStreamEvent) -> int:
    match event:
        case PartStartEvent(part=TextPart(content=said) | ThinkingPart(content=said) | ToolCallPart(args=said)):
            return len(said or "")
        case PartDeltaEvent(delta=TextPartDelta(content_delta=said) | ThinkingPartDelta(content_delta=said)):
            return len(said or "")
        case PartDeltaEvent(delta=ToolCallPartDelta(args_delta=said)):
            return len(said or "")
    return 0
