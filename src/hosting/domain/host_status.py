"""What an operator tells a worker of its host."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

_Text = Annotated[str, Meta(max_length=500)]


class HostState(StrEnum):
    """Whether a worker is to ask for work; all but `ok` tell it not to (docs/reference/worker-protocol.md)."""

    OK = "ok"
    POOL_DELETED = "pool_deleted"
    POOL_DRAINING = "pool_draining"
    POOL_DISABLED = "pool_disabled"
    UNAUTHORIZED = "unauthorized"


class HostStatus(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Whether a worker is to ask for work, and what its owner had better do."""

    status: HostState
    recommended_action: _Text | None = None
    candidate_pool_ids: Annotated[tuple[_Text, ...], Meta(max_length=100)] = ()
