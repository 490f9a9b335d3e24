"""Observations as tests make them."""

from datetime import UTC, datetime
from typing import Any

from hosting.domain.arm import Arm
from hosting.domain.observation import Observation
from hosting.domain.scope import LOCAL_TENANT, TenantId

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def arm(provider: str = "claude", work_type: str = "research", tenant: str = LOCAL_TENANT) -> Arm:
    """Return an arm."""
    return Arm(TenantId(tenant), provider, work_type)


def observation(key: str, reward: float = 1.0, **more: Any) -> Observation:
    """Return an observation, of one arm in one session unless it says otherwise."""
    said: dict[str, Any] = {"arm": arm(), "session_id": "wse_1", "observed_at": NOW}
    return Observation(**(said | {"key": key, "reward": reward} | more))
