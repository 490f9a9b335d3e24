"""What a client sends to start a run."""

from typing import ClassVar

from msgspec import Raw, Struct

from events.ids import AgentId, BranchId, MessageId, SessionId
from events.text import Role
from events.wire_enum import WireEnum


class RunningRunBehavior(WireEnum):
    """What an input does when the branch is busy."""

    REJECT = "reject"
    QUEUE = "queue"
    INTERRUPT = "interrupt"


class ChatMessage(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One message of USER_MESSAGES_INPUT, in any of three shapes: `text`, `content`, or `contents`.

    The contents are text (`{"$type": "text", "text": ...}`) and, from a user, files: `{"$type": "data", "uri": ...}`
    with a data: URI, or `{"$type": "uri", "uri": ..., "mediaType": ...}`.
    """

    role: Role = Role.USER
    message_id: MessageId | None = None
    author_name: str | None = None
    text: str | None = None
    content: str | None = None
    contents: tuple[Raw, ...] | None = None


class Input(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What all inputs share; the ids of the route win over those in the body."""

    wire_type: ClassVar[str] = ""

    agent_id: AgentId | None = None
    session_id: SessionId | None = None
    branch_id: BranchId | None = None
    client_input_id: str | None = None
    """A word of the client's own; MESSAGE_STARTED repeats it, so that a client knows its input again."""
    running_run_behavior: RunningRunBehavior = RunningRunBehavior.REJECT
    run_config: Raw = Raw()  # a union with None would take nothing but null
    """An object that configures the run; see docs/reference/http.md, runConfig."""


class UserTextInput(Input, frozen=True, kw_only=True):
    """A user says something."""

    wire_type: ClassVar[str] = "USER_TEXT_INPUT"

    text: str


class UserMessagesInput(Input, frozen=True, kw_only=True):
    """Several messages at once; the last one is a user's."""

    wire_type: ClassVar[str] = "USER_MESSAGES_INPUT"

    messages: tuple[ChatMessage, ...]
