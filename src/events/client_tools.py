"""Tools that the client has: what it tells of them, how they are called, and what an answer may change."""

from typing import Any, ClassVar

from msgspec import Struct, field

from events.event import Envelope, Event, Kind, written
from events.interactions import Request, Response
from events.tools import ToolContent


class ClientTool(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A tool that runs where the client is."""

    name: str
    description: str | None = None
    parameters_schema: dict[str, Any]
    """A JSON Schema of the arguments; it must be an object."""
    requires_permission: bool | None = None


class SkillReference(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A tool that a skill speaks of."""

    tool_name: str
    tool_harness_name: str | None = None


class SkillDocument(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Something to read that comes with a skill: its content, or where it is."""

    document_id: str
    description: str | None = None
    content: str | None = None
    url: str | None = None


class ClientSkill(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Instructions that belong to some tools of a harness."""

    name: str
    description: str | None = None
    function_result: str | None = None
    system_prompt: str | None = None
    references: tuple[SkillReference, ...] = ()
    documents: tuple[SkillDocument, ...] = ()


class ClientToolHarness(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A named group of client tools; one that starts collapsed shows only its name until it is expanded."""

    name: str
    description: str | None = None
    """Required when the harness starts collapsed."""
    tools: tuple[ClientTool, ...] = ()
    skills: tuple[ClientSkill, ...] = ()
    function_result: str | None = None
    system_prompt: str | None = None
    start_collapsed: bool = False


class ContextItem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Something that the client wants the agent to know."""

    key: str | None = None
    description: str = ""
    value: Any = None


class ClientToolInput(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """`runConfig.clientToolInput`: the client's tools, and the state that goes with them, for this and later runs."""

    client_tool_harnesses: tuple[ClientToolHarness, ...] = ()
    expanded_containers: tuple[str, ...] = ()
    hidden_tools: tuple[str, ...] = ()
    context: tuple[ContextItem, ...] = ()
    state: Any = None
    metadata: dict[str, Any] | None = None
    execution_context: Any = None
    reset_client_state: bool = False
    """Forget what earlier inputs registered before this one is taken."""


class Augmentation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What an answer changes before the next model call, in the order of the members."""

    remove_tool_harnesses: tuple[str, ...] = ()
    inject_tool_harnesses: tuple[ClientToolHarness, ...] = ()
    expand_tool_harnesses: tuple[str, ...] = ()
    collapse_tool_harnesses: tuple[str, ...] = ()
    hide_tools: tuple[str, ...] = ()
    show_tools: tuple[str, ...] = ()
    add_context: tuple[ContextItem, ...] = ()
    remove_context: tuple[str, ...] = ()
    update_state: Any = None
    patch_state: Any = None
    """Replaces the state as `updateState` does; only looked at when that is not there."""


class ClientToolGroupsRegistered(Event, frozen=True, kw_only=True):
    """The run knows these client tools."""

    wire_type: ClassVar[str] = "CLIENT_TOOL_GROUPS_REGISTERED"
    envelope: ClassVar[Envelope] = Envelope(kind=Kind.LIFECYCLE)

    registered_tool_harnesses: tuple[str, ...]
    total_tools: int


class ClientToolInvokeResponse(Response, frozen=True, kw_only=True):
    """What a client's tool came to."""

    wire_type: ClassVar[str] = "CLIENT_TOOL_INVOKE_RESPONSE"

    request_id: str
    content: tuple[ToolContent, ...] = field(default_factory=lambda: ())
    success: bool = written(value=True)
    error_message: str | None = None
    augmentation: Augmentation | None = field(default=None)


class ClientToolInvokeRequest(Request, frozen=True, kw_only=True):
    """Call this tool, please, where you are."""

    wire_type: ClassVar[str] = "CLIENT_TOOL_INVOKE_REQUEST"
    answered_by: ClassVar[type[Response]] = ClientToolInvokeResponse

    request_id: str
    tool_name: str
    call_id: str
    arguments: dict[str, Any]
    description: str | None = None
