"""A model whose calls are steps of a run, and whose words are written to the branch as they come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic_ai import RunContext as AgentRun
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, ToolCallPart
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from hosting.adapters.models.asking import Asking
from hosting.adapters.models.dictation import Dictation
from hosting.adapters.models.sparing import ask_sparing
from hosting.adapters.models.turn import ModelTurn
from hosting.adapters.models.unreasoned import Unreasoned
from hosting.ports.agents import Reply


class HostedModel(WrapperModel):
    """Asks the model that it wraps, once per step: a call that had ended before a crash is answered from the log."""

    def __init__(self, wrapped: Model, turn: ModelTurn) -> None:
        super().__init__(wrapped)
        self._turn = turn

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Ask the model; returns when its message is stored."""
        self._turn.called |= _calls_of(messages)

        async def write(reply: Reply) -> None:
            said = reply if self._turn.tells_reasoning else Unreasoned(reply)
            asking = Asking(self._turn.care, self.wrapped, self._turn.context.run_id)
            response = await ask_sparing(
                asking,
                messages,
                model_settings,
                model_request_parameters,
                lambda stream, events: Dictation(stream, said, self._turn.called, self._turn.known).take(events),
                prompt=self._turn.prompt,
            )
            reply.attach(ModelMessagesTypeAdapter.dump_python([response], mode="json"))

        message = await self._turn.context.model_call(write, arguments={"messages": len(messages)})
        self._turn.message = message
        (answered,) = ModelMessagesTypeAdapter.validate_json(message.attachment or b"[]")
        if not isinstance(answered, ModelResponse):
            raise TypeError(f"A model call is kept as its response, not as {type(answered).__name__}.")
        return answered

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: AgentRun[Any] | None = None,
    ) -> AsyncIterator[StreamedResponse]:
        """Ask the model, and return a stream of its whole answer: who listens live, listens to the branch."""
        response = await self.request(messages, model_settings, model_request_parameters)
        parameters = model_request_parameters
        yield CompletedStreamedResponse(response, model_request_parameters=parameters, replay_events=True)


def _calls_of(messages: list[ModelMessage]) -> set[str]:
    said = (part for message in messages if isinstance(message, ModelResponse) for part in message.parts)
    return {part.tool_call_id for part in said if isinstance(part, ToolCallPart)}
