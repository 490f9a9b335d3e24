"""Which class stands for which wire name.

CatalogError
+-- NotAnEvent         the class is no concrete Event or Input
+-- DuplicateName      the name is taken
"""

import re
from collections.abc import Iterator

from events import branches, control, inputs, retries, runs, text, turns
from events.event import Event
from events.inputs import Input

_WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")

_STANDARD: tuple[type[Event] | type[Input], ...] = (
    inputs.UserTextInput,
    inputs.UserMessagesInput,
    branches.BranchCreated,
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
    turns.AgentTurnFinished,
    turns.MessageTurnFinished,
    turns.MessageTurnError,
    runs.BranchRunCompleted,
    retries.ModelCallRetry,
    control.StreamReset,
    control.StreamClosing,
)


class CatalogError(Exception):
    """A class cannot be registered."""


class NotAnEvent(CatalogError):
    """The class is no concrete Event."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        super().__init__(f"{cls.__name__} cannot be registered: it is not a concrete subclass of Event.")


class DuplicateName(CatalogError):
    """Another class has the wire name."""

    def __init__(self, name: str, holder: type) -> None:
        self.name, self.holder = name, holder
        super().__init__(f"{name} is already the wire name of {holder.__name__}; pass replace=True to take it over.")


def derived_name(cls: type) -> str:
    """Return the wire name a class has when it states none: `RetrievalProgressEvent` is RETRIEVAL_PROGRESS."""
    return _WORD_BORDER.sub("_", cls.__name__.removesuffix("Event")).upper()


class Catalog:
    """The classes known by wire name, and the wire names known by class."""

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

        Raises:
            NotAnEvent: the class is not a concrete, non-generic subclass of Event, or the name is blank.
            DuplicateName: another class has that name and `replace` was not asked for.
        """
        chosen = name if name is not None else cls.__dict__.get("wire_type") or derived_name(cls)
        if not issubclass(cls, Event) or cls is Event or getattr(cls, "__parameters__", None) or not chosen.strip():
            raise NotAnEvent(cls)
        holder = self._classes.get(chosen)
        if holder is not None and holder is not cls and not replace:
            raise DuplicateName(chosen, holder)
        self._put(cls, chosen)
        return chosen

    def named(self, name: str) -> type[Event] | type[Input] | None:
        """Return the class of a wire name, in any case; None when it is unknown."""
        return self._classes.get(name) or self._classes.get(name.upper())

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
        return iter(self._classes.items())

    def _put(self, cls: type[Event] | type[Input], name: str) -> None:
        previous = self._classes.get(name)
        if previous is not None:
            self._names.pop(previous, None)
        self._classes[name] = cls
        self._names[cls] = name
