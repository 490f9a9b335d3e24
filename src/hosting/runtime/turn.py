"""The message turn of a run, as its events name it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from events.event import Event


class Flow(TypedDict, total=False):
    """The members that place an event in a turn and its trace."""

    trace_id: str
    span_id: str
    parent_span_id: str
    event_flow_id: str


def flow_of(event: Event) -> Flow:
    """Return how an event was placed."""
    return {
        "trace_id": event.trace_id or "",
        "span_id": event.span_id or "",
        "parent_span_id": event.parent_span_id or "",
        "event_flow_id": event.event_flow_id or "",
    }


@dataclass(frozen=True, slots=True)
class Turn:
    """One run's answer: its id (which is also its event flow), its trace, and when it began on this node."""

    id: str
    trace_id: str
    span_id: str
    agent_name: str
    began: datetime

    @property
    def flow(self) -> Flow:
        """What the turn's own boundaries say of their place."""
        return {"trace_id": self.trace_id, "span_id": self.span_id, "event_flow_id": self.id}

    def inner(self, span_id: str) -> Flow:
        """Return what the boundaries of something inside the turn say of theirs."""
        return {
            "trace_id": self.trace_id,
            "span_id": span_id,
            "parent_span_id": self.span_id,
            "event_flow_id": self.id,
        }
