"""In which order a worker of our own may tell what its run does: as the runtime tells it, so that logs are whole."""

import copy
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from events.event import Event
from events.ids import MessageId
from events.permissions import PermissionRequest
from events.text import (
    ReasoningDelta,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    Role,
    TextDelta,
    TextMessageEnd,
    TextMessageStart,
)
from events.tools import ToolCallArgs, ToolCallEnd, ToolCallResult, ToolCallStart
from events.turns import MessageTurnError, MessageTurnFinished, MessageTurnStarted
from hosting.domain.errors import InvalidRequest

_STARTS: Final = (TextMessageStart, ReasoningMessageStart)
_TEXT: Final = (TextMessageStart, TextDelta, TextMessageEnd)
_ENDS: Final = (TextMessageEnd, ReasoningMessageEnd)


@dataclass(slots=True)
class _Flow:
    """What is open in one turn; `owed` counts the ends of calls: a model may give one id to two of them."""

    turn: bool = False
    parts: dict[MessageId, bool] = field(default_factory=dict)
    """Each with whether it is text."""
    calls: set[str] = field(default_factory=set)
    owed: Counter[str] = field(default_factory=Counter)

    @property
    def is_open(self) -> bool:
        return self.turn or bool(self.parts) or bool(self.calls)


class Order:
    """What the events of a run have left open, turn by turn; `root` is the turn of those that name none."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.messages: set[MessageId] = set()
        """All that the run has begun, those that were taken back too."""
        self.tools: dict[str, str] = {}
        """The tool of each permission that the run has asked for."""
        self._flows: defaultdict[str, _Flow] = defaultdict(_Flow)

    def copy(self) -> "Order":
        """Return one that goes on by itself from here."""
        other = copy.copy(self)
        other._flows = copy.deepcopy(self._flows)
        return other

    @property
    def is_open(self) -> bool:
        """Whether a turn, a part of a message or a call has not ended."""
        return any(flow.is_open for flow in self._flows.values())

    def check(self, event: Event) -> None:
        """Make sure that an event fits behind those that were seen.

        Raises:
            InvalidRequest: it does not.
        """
        flow = self._flows[event.event_flow_id or self.root]
        match event:
            case TextMessageStart() | ReasoningMessageStart():
                _check(flow.turn, "begins outside of its turn", event)
                _check(event.message_id not in flow.parts, "begins what has begun", event)
                _check(event.role is Role.ASSISTANT, "is of somebody else than the assistant", event)
            case ToolCallStart():
                _check(flow.turn, "begins outside of its turn", event)
            case TextDelta() | ReasoningDelta() | TextMessageEnd() | ReasoningMessageEnd():
                is_open = flow.parts.get(event.message_id) is isinstance(event, _TEXT)
                _check(is_open, "is of a part of a message that is not open", event)
            case ToolCallArgs() | ToolCallResult() | ToolCallEnd():
                _check(flow.owed[event.call_id] > 0, "is of a call that is not open", event)
            case _:
                pass

    def see(self, event: Event) -> None:
        """Take note of an event."""
        key = event.event_flow_id or self.root
        flow = self._flows[key]
        if isinstance(event, _STARTS):
            flow.parts[event.message_id] = isinstance(event, _TEXT)
            self.messages.add(event.message_id)
        elif isinstance(event, _ENDS):
            flow.parts.pop(event.message_id, None)
        elif isinstance(event, ToolCallStart):
            flow.calls.add(event.call_id)
            flow.owed[event.call_id] += 1
            self.messages.add(event.message_id)
        elif isinstance(event, ToolCallEnd):
            flow.calls.discard(event.call_id)
            flow.owed[event.call_id] -= 1
        elif isinstance(event, MessageTurnStarted | MessageTurnFinished | MessageTurnError):
            flow.turn = isinstance(event, MessageTurnStarted)
        elif isinstance(event, PermissionRequest):
            self.tools[event.permission_id] = event.function_name
        if not flow.is_open:
            # A run can have any number of turns inside of it, and all of this is copied for each batch.
            del self._flows[key]


def _check(fits: bool, otherwise: str, event: Event) -> None:  # noqa: FBT001
    if not fits:
        raise InvalidRequest(f"This {type(event).__name__} {otherwise}.")
