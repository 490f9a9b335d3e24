"""Where a branch is found on a server."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from events.ids import MAIN_BRANCH, AgentId, BranchId, SessionId


@dataclass(frozen=True, slots=True)
class BranchAddress:
    """A branch, and the agent that is spoken to on it."""

    agent_id: AgentId
    session_id: SessionId
    branch_id: BranchId = MAIN_BRANCH

    @property
    def branches(self) -> str:
        """The path of the session's branches."""
        return f"/agents/{quote(self.agent_id, safe='')}/sessions/{quote(self.session_id, safe='')}/branches"

    @property
    def path(self) -> str:
        """The path of the branch."""
        return f"{self.branches}/{quote(self.branch_id, safe='')}"

    def beside(self, branch_id: BranchId) -> "BranchAddress":
        """Return the address of another branch of the session."""
        return replace(self, branch_id=branch_id)
