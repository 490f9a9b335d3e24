"""A question that waits for an answer, as a client gets it."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Raw, Struct

from events.ids import AgentId, RunId
from events.serializer import Serializer
from hosting.client.received import Received


@dataclass(frozen=True, slots=True)
class Interaction:
    """An open question; `request` is its event, and `expected_response_type` names the event that answers it."""

    request_id: str
    type: str
    expected_response_type: str
    runtime_run_id: RunId
    agent_id: AgentId
    requested_at: datetime
    expires_at: datetime | None
    request: Received


class ListedInteraction(Struct, frozen=True, kw_only=True, rename="camel"):
    """An open question as the server lists it."""

    request_id: str
    type: str
    expected_response_type: str
    runtime_run_id: RunId
    agent_id: AgentId
    requested_at: datetime
    expires_at: datetime | None = None
    position: str
    request: Raw

    def read(self, serializer: Serializer) -> Interaction:
        """Decode the request as far as the serializer's catalog knows it."""
        return Interaction(
            self.request_id,
            self.type,
            self.expected_response_type,
            self.runtime_run_id,
            self.agent_id,
            self.requested_at,
            self.expires_at,
            Received.read(serializer, self.position, bytes(self.request).decode()),
        )
