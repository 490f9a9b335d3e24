"""A session: the container of branches that one tenant owns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.ids import SessionId
from hosting.domain.scope import TenantId


@dataclass(frozen=True, slots=True)
class Session:
    """A session as stored."""

    tenant: TenantId
    id: SessionId
    created_at: datetime
    last_activity: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)
