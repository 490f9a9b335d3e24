"""Whose, and where: the names that every door is opened with."""

from dataclasses import dataclass
from typing import NewType

from events.ids import BranchId, SessionId

TenantId = NewType("TenantId", str)
BranchKey = NewType("BranchKey", int)
"""What names a branch inside the store, for all tenants; never on the wire and never used again."""
NodeId = NewType("NodeId", str)

LOCAL_TENANT = TenantId("local")


@dataclass(frozen=True, slots=True)
class BranchScope:
    """One branch of one session of one tenant."""

    tenant: TenantId
    session_id: SessionId
    branch_id: BranchId
