"""A call of a tool: what was asked for, with what, and what came of it."""

from enum import StrEnum
from typing import Any, ClassVar, Final

from msgspec import Raw, Struct
from msgspec.structs import force_setattr

from events.event import Event
from events.ids import MessageId
from events.wire_enum import WireEnum


class CallType(WireEnum):
    """What is called."""

    FUNCTION = "function"
    SKILL = "skill"
    SUB_AGENT = "sub_agent"
    MULTI_AGENT = "multi_agent"
    MCP_SERVER = "mcp_server"
    OPEN_API = "open_api"


class ResultType(StrEnum):
    """Why a result is not what the tool returned."""

    ERROR = "error"
    DENIED = "denied"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"


class ToolText(Struct, frozen=True, kw_only=True, tag_field="type", tag="text", gc=False):
    """A piece of text in a tool's result."""

    text: str


class ToolJson(Struct, frozen=True, kw_only=True, tag_field="type", tag="json", gc=False):
    """A JSON value in a tool's result."""

    value: Any


class ToolBinary(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", tag_field="type", tag="binary", gc=False
):
    """Bytes in a tool's result, as base64 in `data` or somewhere else."""

    mime_type: str
    data: str | None = None
    url: str | None = None
    id: str | None = None
    filename: str | None = None


ToolContent = ToolText | ToolJson | ToolBinary


NO_JSON: Final = Raw()


class ToolResult(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What a tool call came to: as text, as JSON, as pieces of content, or several of these."""

    text: str | None = None
    json: Raw = NO_JSON
    content: tuple[ToolContent, ...] | None = None
    result_type: ResultType | None = None

    def __post_init__(self) -> None:
        """Have one value for no JSON: another empty Raw would be written as a member without a value."""
        if self.json is not NO_JSON and not bytes(self.json):
            force_setattr(self, "json", NO_JSON)


class ToolCallStart(Event, frozen=True, kw_only=True):
    """The assistant calls a tool."""

    wire_type: ClassVar[str] = "TOOL_CALL_START"

    call_id: str
    name: str
    message_id: MessageId
    tool_harness_name: str | None = None
    call_type: CallType | None = None


class ToolCallArgs(Event, frozen=True, kw_only=True):
    """The arguments of a call, whole."""

    wire_type: ClassVar[str] = "TOOL_CALL_ARGS"

    call_id: str
    args_json: str
    """A JSON object, as text."""


class ToolCallResult(Event, frozen=True, kw_only=True):
    """What a call came to."""

    wire_type: ClassVar[str] = "TOOL_CALL_RESULT"

    call_id: str
    result: ToolResult
    tool_harness_name: str | None = None
    call_type: CallType | None = None
    name: str | None = None
    message_id: MessageId | None = None


class ToolCallEnd(Event, frozen=True, kw_only=True):
    """The call is over."""

    wire_type: ClassVar[str] = "TOOL_CALL_END"

    call_id: str
