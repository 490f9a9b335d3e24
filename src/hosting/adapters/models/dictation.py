"""What a model says, written down as it comes."""

from pydantic_ai.messages import (
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import StreamedResponse

from hosting.adapters.models.usage import usage_of
from hosting.ports.agents import Reply


async def dictate(stream: StreamedResponse, reply: Reply) -> ModelResponse:
    """Write a model's answer into a reply: words and reasoning piece by piece, calls when they are whole."""
    outputs = frozenset(tool.name for tool in stream.model_request_parameters.output_tools)
    async for event in stream:
        said: object = None
        if isinstance(event, PartStartEvent):
            said = event.part
        elif isinstance(event, PartDeltaEvent):
            said = event.delta
        if isinstance(said, TextPart) and said.content:
            await reply.text(said.content)
        elif isinstance(said, TextPartDelta) and said.content_delta:
            await reply.text(said.content_delta)
        elif isinstance(said, ThinkingPart) and said.content:
            await reply.reason(said.content)
        elif isinstance(said, ThinkingPartDelta) and said.content_delta:
            await reply.reason(said.content_delta)
    response = stream.get()
    reply.spend(usage_of(response))
    for part in response.parts:
        if isinstance(part, ToolCallPart) and part.tool_name in outputs:
            # A structured answer that the model gives by calling a tool is what the message says.
            await reply.text(part.args_as_json_str())
    for part in response.parts:
        if isinstance(part, ToolCallPart) and part.tool_name not in outputs:
            await reply.call(part.tool_name, part.args_as_dict(), call_id=part.tool_call_id)
    return response
