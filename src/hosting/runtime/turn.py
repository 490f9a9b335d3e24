"""The message turn of a run, or of nested work inside it, as its events name it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from events.event import Event
from events.ids import AgentId


class Flow(TypedDict, total=False):
    """The members that place an event in a turn and its trace."""

    trace_id: str
    span_id: str
    parent_span_id: str
    event_flow_id: str


def flow_of(event: Event) -> Flow:
    """Return how an event was placed."""
    flow: Flow = {}
    if event.trace_id is not None:
        flow["trace_id"] = event.trace_id
    if event.span_id is not None:
        flow["span_id"] = event.span_id
    if event.parent_span_id is not None:
        flow["parent_span_id"] = event.parent_span_id
    if event.event_flow_id is not None:
        flow["event_flow_id"] = event.event_flow_id
    return flow


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer: its id (which is also its event flow), its trace, and when it began on this node.

    A nested one has the span that it is inside of, and `metadata` that all its events carry.
    """

    id: str
    trace_id: str
    span_id: str
    agent_id: AgentId
    agent_name: str
    began: datetime
    parent_span_id: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def flow(self) -> Flow:
        """What the turn's own boundaries say of their place."""
        flow: Flow = {"trace_id": self.trace_id, "span_id": self.span_id, "event_flow_id": self.id}
        if self.parent_span_id is not None:
            flow["parent_span_id"] = self.parent_span_id
        return flow

    @property
    def depth(self) -> int:
        """How many turns this one is inside of."""
        return int(self.metadata["depth"]) if self.metadata else 0

    def inner(self, span_id: str) -> Flow:
        """Return what the boundaries of something inside the turn say of theirs."""
        return {
            "trace_id": self.trace_id,
            "span_id": span_id,
            "parent_span_id": self.span_id,
            "event_flow_id": self.id,
        }

    def nested(self, turn_id: str, span_id: str, *, agent_id: AgentId, agent_name: str, began: datetime) -> "Turn":
        """Return a turn of another agent inside of this one."""
        chain = [*(self.metadata["agentChain"] if self.metadata else [self.agent_name]), agent_name]
        metadata = {
            "agentName": agent_name,
            "agentId": agent_id,
            "parentAgentId": self.agent_id,
            "agentChain": chain,
            "depth": self.depth + 1,
            "isSubAgent": True,
        }
        return Turn(turn_id, self.trace_id, span_id, agent_id, agent_name, began, self.span_id, metadata)
