"""Which class stands for which wire name.

CatalogError
+-- NotAnEvent         the class is no concrete Event or Input
+-- BlankName          the name is blank
+-- ReservedMember     a member of the class has a name that the envelope has taken
+-- IncompletePair     a request or response lacks what brings the two together
+-- DuplicateName      the name is taken, or the class has another one
"""

import re
from collections.abc import Iterator
from typing import Final

from events import (
    branches,
    clarification,
    client_tools,
    compaction,
    continuation,
    control,
    inputs,
    interactions,
    interruption,
    permissions,
    queue,
    retries,
    runs,
    text,
    tools,
    tree,
    turns,
    work,
)
from events.event import Event
from events.inputs import Input
from events.interactions import Request, Response

_WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")
_RESERVED: Final = frozenset(("version", "type", "channel", "kind", "direction", "canInterrupt"))

_STANDARD: tuple[type[Event] | type[Input], ...] = (
    inputs.UserTextInput,
    inputs.UserMessagesInput,
    branches.BranchCreated,
    branches.BranchMetadataUpdated,
    tree.BranchForked,
    tree.BranchTreeUpdated,
    runs.BranchRunStarted,
    branches.MessageStarted,
    branches.ContentAdded,
    branches.MessageCompleted,
    turns.MessageTurnStarted,
    turns.AgentTurnStarted,
    text.ReasoningMessageStart,
    text.ReasoningDelta,
    text.ReasoningMessageEnd,
    text.TextMessageStart,
    text.TextDelta,
    text.TextMessageEnd,
    tools.ToolCallStart,
    tools.ToolCallArgs,
    permissions.PermissionRequest,
    permissions.PermissionResponse,
    permissions.PermissionApproved,
    permissions.PermissionDenied,
    client_tools.ClientToolGroupsRegistered,
    client_tools.ClientToolInvokeRequest,
    client_tools.ClientToolInvokeResponse,
    clarification.ClarificationRequest,
    clarification.ClarificationResponse,
    continuation.ContinuationRequest,
    continuation.ContinuationResponse,
    interactions.AgentRequestExpired,
    interactions.AgentRequestCancelled,
    interactions.AgentResponseRejected,
    tools.ToolCallResult,
    tools.ToolCallEnd,
    retries.FunctionRetry,
    interruption.InterruptionHandled,
    branches.BranchMiddlewareStateCommitted,
    compaction.Compaction,
    compaction.BranchHistoryCompacted,
    work.WorkClaimed,
    work.WorkProgress,
    work.WorkActivity,
    work.InterviewCompleted,
    work.WorkReturned,
    turns.AgentTurnFinished,
    turns.MessageTurnFinished,
    turns.MessageTurnError,
    runs.BranchRunCompleted,
    queue.BranchQueueUpdated,
    retries.ModelCallRetry,
    control.StreamReset,
    control.StreamClosing,
)


class CatalogError(Exception):
    """A class cannot be registered."""


class NotAnEvent(CatalogError):
    """The class is no concrete Event."""

    def __init__(self, cls: object) -> None:
        self.cls = cls
        super().__init__(f"{_called(cls)} cannot be registered: it is not a concrete subclass of Event.")


class BlankName(CatalogError):
    """The wire name is blank."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        super().__init__(f"{_called(cls)} cannot be registered: its wire name is blank.")


class ReservedMember(CatalogError):
    """A member of the class is named like one of the envelope, which would then be there twice."""

    def __init__(self, cls: type, member: str) -> None:
        self.cls, self.member = cls, member
        super().__init__(f"{_called(cls)} cannot be registered: the envelope has a {member!r} of its own.")


class IncompletePair(CatalogError):
    """A request or a response lacks the member that names it, or the request does not say what answers it."""

    def __init__(self, cls: type, lacks: str) -> None:
        self.cls, self.lacks = cls, lacks
        super().__init__(f"{_called(cls)} cannot be registered: it lacks {lacks}.")


class DuplicateName(CatalogError):
    """Another class has the wire name, or this class has another one."""

    def __init__(self, name: str, holder: type) -> None:
        self.name, self.holder = name, holder
        super().__init__(f"{name} is already the wire name of {_called(holder)}; pass replace=True to change that.")


def derived_name(cls: type) -> str:
    """Return the wire name a class has when it states none: `RetrievalProgressEvent` is RETRIEVAL_PROGRESS."""
    return _WORD_BORDER.sub("_", cls.__name__.removesuffix("Event")).upper()


class Catalog:
    """The classes known by wire name, and the wire names known by class; each has one of the other."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Event] | type[Input]] = {}
        self._names: dict[type[Event] | type[Input], str] = {}

    @classmethod
    def standard(cls) -> "Catalog":
        """Return a catalog of every event and input that Branchline itself knows."""
        catalog = cls()
        for member in _STANDARD:
            catalog._put(member, member.wire_type)
        return catalog

    def register(self, cls: type[Event], name: str | None = None, *, replace: bool = False) -> str:
        """Add a custom event and return its wire name: the one given, or `wire_type`, or one derived from the class.

        With `replace` both the name's former class and the class's former name are forgotten.

        Raises:
            NotAnEvent: the class is not a concrete, non-generic subclass of Event.
            BlankName: the name is blank.
            ReservedMember: a member of it would stand beside one of the envelope with the same name.
            IncompletePair: it is a Request or Response without its id, or a Request that names no answer.
            DuplicateName: another class has that name, or the class has another name, and `replace` was not asked for.
        """
        _check_class(cls)
        chosen = name if name is not None else cls.__dict__.get("wire_type") or derived_name(cls)
        if not chosen.strip():
            raise BlankName(cls)
        holder = self._classes.get(_folded(chosen))
        if not replace and holder is not None and holder is not cls:
            raise DuplicateName(chosen, holder)
        if not replace and self._names.get(cls, chosen) != chosen:
            raise DuplicateName(self._names[cls], cls)
        self._put(cls, chosen)
        return chosen

    def named(self, name: str) -> type[Event] | type[Input] | None:
        """Return the class of a wire name, in any case; None when it is unknown."""
        return self._classes.get(_folded(name))

    def name_of(self, cls: type[Event] | type[Input]) -> str:
        """Return the wire name of a class.

        Raises:
            NotAnEvent: the class was never registered.
        """
        name = self._names.get(cls)
        if name is None:
            raise NotAnEvent(cls)
        return name

    def __iter__(self) -> Iterator[tuple[str, type[Event] | type[Input]]]:
        return ((name, cls) for cls, name in self._names.items())

    def _put(self, cls: type[Event] | type[Input], name: str) -> None:
        holder = self._classes.pop(_folded(name), None)
        if holder is not None:
            del self._names[holder]
        former = self._names.pop(cls, None)
        if former is not None:
            del self._classes[_folded(former)]
        self._classes[_folded(name)] = cls
        self._names[cls] = name


def _check_class(cls: type[Event]) -> None:
    if not isinstance(cls, type) or not issubclass(cls, Event) or getattr(cls, "__parameters__", None):
        raise NotAnEvent(cls)
    if cls in {Event, Request, Response}:
        raise NotAnEvent(cls)
    _check_pair(cls)
    for member in (cls.__struct_config__.tag_field, *cls.__struct_encode_fields__):
        if member in _RESERVED:
            raise ReservedMember(cls, member)


def _check_pair(cls: type[Event]) -> None:
    if issubclass(cls, Request | Response) and cls.id_member not in cls.__struct_fields__:
        raise IncompletePair(cls, f"the member {cls.id_member!r}, which an answer names")
    if issubclass(cls, Request) and not issubclass(getattr(cls, "answered_by", Event), Response):
        raise IncompletePair(cls, "`answered_by`, the class of its answer")


def _folded(name: str) -> str:
    return name.upper()


def _called(cls: object) -> str:
    return cls.__name__ if isinstance(cls, type) else repr(cls)
