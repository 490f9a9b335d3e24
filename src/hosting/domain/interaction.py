"""An interaction: a question of a run as a row, which takes the one answer that settles it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from events.ids import AgentId, RunId
from hosting.domain.scope import BranchKey, BranchScope

OF_A_WORKER: Final = "worker:"
"""How the place of a question begins that a worker has asked by itself; the call that it is about follows."""
DECIDED: Final = "decided:"
"""As OF_A_WORKER, for what was decided without asking anybody."""


class InteractionState(StrEnum):
    """Where a question stands; it leaves `open` once and never comes back."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Interaction:
    """A question as stored.

    `id` is what an answer names; `place` is the step of the run that asked, or says that its worker did; `seq` is the
    request's number in the log; `response` is the accepted answer's envelope.
    """

    id: str
    branch_key: BranchKey
    scope: BranchScope
    run_id: RunId
    agent_id: AgentId
    place: str
    request_type: str
    response_type: str
    source_name: str
    state: InteractionState
    seq: int
    requested_at: datetime
    expires_at: datetime | None = None
    response: bytes | None = None
