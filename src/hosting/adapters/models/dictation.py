"""What a model says, written down as it comes."""

import re
from collections.abc import AsyncIterable, Mapping
from dataclasses import replace
from typing import Final

from pydantic_ai.messages import (
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import StreamedResponse

from events.ids import is_client_id
from events.tools import CallType
from hosting.adapters.models.failures import ModelAnswerTooLong
from hosting.adapters.models.spelling import Voice, spelt
from hosting.adapters.models.usage import usage_of
from hosting.ports.agents import Reply
from hosting.ports.tools import Tool

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME: Final = 64
_MOST_CALLS: Final = 256


class Dictation:
    """Writes one answer into a reply: words and reasoning piece by piece, calls when they are whole.

    `called` are the ids of the calls that the run has had so far: a provider that counts its calls from 0 in each
    answer would have several of the same id, and so would one that is asked again. `known` are its tools.
    """

    def __init__(self, stream: StreamedResponse, reply: Reply, called: set[str], known: Mapping[str, Tool]) -> None:
        self._stream = stream
        self._reply = reply
        self._called = called
        self._known = known
        offered = stream.model_request_parameters
        self._tools = frozenset(tool.name for tool in offered.function_tools)
        self._outputs = frozenset(tool.name for tool in offered.output_tools)
        self._text, self._reasoning = Voice(reply.text), Voice(reply.reason)

    async def take(self, events: AsyncIterable[ModelResponseStreamEvent]) -> ModelResponse:
        """Write all of it, and return the answer with the ids and names that its calls are told by."""
        try:
            async for event in events:
                await self._hear(event)
            await self._text.pause()
            await self._reasoning.pause()
        finally:
            usage = usage_of(self._stream.get())
            # What an answer that broke off has cost, it has cost.
            if usage is not None:
                self._reply.spend(usage)
        response = self._stream.get()
        self._check_calls(response)
        await self._say_output(response)
        return replace(response, parts=[await self._written(part) for part in response.parts])

    def _check_calls(self, response: ModelResponse) -> None:
        calls = sum(isinstance(part, ToolCallPart) for part in response.parts)
        if calls > _MOST_CALLS:
            # Not the provider's fault, for a user can ask for it.
            raise ModelAnswerTooLong(
                f"The model {response.model_name} made {calls} calls in one message; at most {_MOST_CALLS} are taken."
            )

    async def _hear(self, event: ModelResponseStreamEvent) -> None:
        match event:
            case PartStartEvent(part=TextPart(content=piece)):
                await self._say(piece)
            case PartDeltaEvent(delta=TextPartDelta(content_delta=piece)):
                await self._say(piece)
            case PartStartEvent(part=ThinkingPart(content=piece)):
                await self._reason(piece)
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=piece)):
                await self._reason(piece or "")

    async def _say(self, piece: str) -> None:
        if piece:
            await self._reasoning.pause()
            await self._text.say(piece)

    async def _reason(self, piece: str) -> None:
        if piece:
            await self._text.pause()
            await self._reasoning.say(piece)

    async def _say_output(self, response: ModelResponse) -> None:
        for part in response.parts:
            if isinstance(part, ToolCallPart) and part.tool_name in self._outputs:
                # A structured answer that the model gives by calling a tool is what the message says.
                await self._reply.text(spelt(part.args_as_json_str()))

    async def _written(self, part: ModelResponsePart) -> ModelResponsePart:
        if isinstance(part, TextPart | ThinkingPart):
            return replace(part, content=spelt(part.content))
        if not isinstance(part, ToolCallPart):
            return part
        whole = replace(part, args=spelt(part.args)) if isinstance(part.args, str) else part
        return whole if part.tool_name in self._outputs else await self._call(whole)

    async def _call(self, part: ToolCallPart) -> ToolCallPart:
        is_known = part.tool_name in self._tools
        # A name that nobody has is answered so; but no provider takes back one with odd characters in it.
        name = part.tool_name if is_known else _UNFIT.sub("_", part.tool_name)[:_LONGEST_NAME] or "_"
        given = part.tool_call_id
        wanted = given if is_client_id(given) and given not in self._called else None
        tool = self._known.get(name)
        call_id = await self._reply.call(
            name,
            part.args_as_dict(),
            call_id=wanted,
            call_type=CallType.FUNCTION if tool is None else tool.call_type,
            harness=None if tool is None else tool.harness,
        )
        self._called.add(call_id)
        return replace(part, tool_name=name, tool_call_id=call_id)
