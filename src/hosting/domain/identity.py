"""Who is asking."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hosting.domain.scope import LOCAL_TENANT, TenantId


class Role(StrEnum):
    """What a caller may do: work on what is handed out, run the fleet, or use agents."""

    WORKER = "worker"
    OPERATOR = "operator"
    USER = "user"


class CallerKind(StrEnum):
    """How a caller has shown who it is."""

    LOCAL = "local"
    """Not at all: it is on the machine that the server is on."""
    KEY = "key"
    """By a key that an operator has made."""
    SHARED_KEY = "shared_key"
    """By the one key that all older workers share."""
    WORKER = "worker"
    """By the token that a worker was given when it registered."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: everything that a caller reaches is its tenant's.

    `project` narrows a key or a worker to one project. `worker_id`, `registration_id` and `scopes` are a worker's,
    from its token; `key_id` names the key that was shown.
    """

    tenant: TenantId
    kind: CallerKind
    roles: frozenset[Role]
    project: str | None = None
    worker_id: str | None = None
    registration_id: str | None = None
    key_id: str | None = None
    scopes: tuple[str, ...] = ()


LOCAL: Final = Identity(LOCAL_TENANT, CallerKind.LOCAL, frozenset(Role))
"""Who needs no key."""
