"""What is to be sent and to whom, and how far it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from events.ids import AgentId, BranchId, SessionId
from events.inputs import RunningRunBehavior
from hosting.cli.stopping import Stopping
from hosting.client import BranchAddress, KnownAgent
from hosting.domain.secret import Secret


@dataclass(slots=True)
class Errand:
    """What is to be sent and to whom, and how far it came: `at` is known when the branch is there.

    `approves` says how permissions are answered without asking; None asks. `is_sent` once it may have been accepted,
    `stopping` is there once it was. `known` are the agents of a server that has not the one that was asked for.
    """

    text: str
    agent: AgentId
    session: SessionId | None
    branch: BranchId
    url: str
    key: Secret | None = None
    files: Sequence[Path] = ()
    behavior: RunningRunBehavior = RunningRunBehavior.REJECT
    approves: bool | None = None
    asks: bool = True
    at: BranchAddress | None = None
    is_sent: bool = False
    stopping: Stopping | None = None
    known: Sequence[KnownAgent] = ()
