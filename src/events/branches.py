"""Events that a branch's log has of its own: its creation, and whole messages."""

from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct

from events.event import Envelope, Event, Kind
from events.ids import MessageId
from events.text import Role
from events.tools import ToolResult

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class TextContent(Struct, frozen=True, kw_only=True, tag_field="$type", tag="text", gc=False):
    """A piece of text inside a message."""

    text: str


class ReasoningContent(Struct, frozen=True, kw_only=True, tag_field="$type", tag="reasoning", gc=False):
    """What a model thought before it spoke."""

    text: str


class DataContent(Struct, frozen=True, kw_only=True, rename="camel", tag_field="$type", tag="data", gc=False):
    """Bytes inside a message: a picture, a recording, a document."""

    uri: str
    """`data:image/png;base64,...`"""
    media_type: str
    """What the URI says, in small letters and without parameters."""


class UriContent(Struct, frozen=True, kw_only=True, rename="camel", tag_field="$type", tag="uri", gc=False):
    """Something that a message points at: on the web, where whoever serves it decides what it is, or an upload."""

    uri: str
    """`https://...`, `http://...`, or `hpd-content://{contentId}` for a file that was uploaded to the session"""
    media_type: str


class FunctionCall(Struct, frozen=True, kw_only=True, rename="camel", tag_field="$type", tag="functionCall", gc=False):
    """A tool that a message calls."""

    call_id: str
    name: str
    arguments: dict[str, Any]


class FunctionResult(
    Struct, frozen=True, kw_only=True, rename="camel", tag_field="$type", tag="functionResult", gc=False
):
    """What a call came to; a part of the message that called."""

    call_id: str
    result: ToolResult


Content = TextContent | ReasoningContent | DataContent | UriContent | FunctionCall | FunctionResult


class BranchCreated(Event, frozen=True, kw_only=True):
    """The first event of every branch."""

    wire_type: ClassVar[str] = "BRANCH_CREATED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    branch_metadata: dict[str, Any] | None = None
    """What the client said of the branch when it made it."""
    created_at: datetime


class MessageStarted(Event, frozen=True, kw_only=True):
    """A whole message follows."""

    wire_type: ClassVar[str] = "MESSAGE_STARTED"

    message_id: MessageId
    role: Role
    author_name: str | None = None
    created_at: datetime | None = None
    client_input_id: str | None = None
    """The `clientInputId` of the input that brought the message."""


class ContentAdded(Event, frozen=True, kw_only=True):
    """One content of a whole message."""

    wire_type: ClassVar[str] = "CONTENT_ADDED"

    message_id: MessageId
    content: Content


class MessageCompleted(Event, frozen=True, kw_only=True):
    """The message has all its contents."""

    wire_type: ClassVar[str] = "MESSAGE_COMPLETED"

    message_id: MessageId


class BranchMetadataUpdated(Event, frozen=True, kw_only=True):
    """What a client says of the branch has changed; the members that it changed say how they are now."""

    wire_type: ClassVar[str] = "BRANCH_METADATA_UPDATED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    branch_metadata: dict[str, Any] | None = None


class BranchMiddlewareStateCommitted(Event, frozen=True, kw_only=True):
    """State that layers keep with the branch has changed; `state` holds what changed, each value as JSON text."""

    wire_type: ClassVar[str] = "BRANCH_MIDDLEWARE_STATE_COMMITTED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    state: dict[str, str]
