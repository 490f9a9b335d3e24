"""An entry of the audit: who did what with which credentials; names, never values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hosting.domain.credential import ALL, Layer
from hosting.domain.scope import TenantId


class AuditAction(StrEnum):
    """What was done."""

    SET = "set"
    DELETED = "deleted"
    SNAPSHOT = "snapshot"
    """Somebody was given an environment map."""
    REFUSED = "refused"
    """Somebody asked for what is not there for it: another tenant's, another project's, or nobody's."""
    FAILED = "failed"
    """Somebody asked for an environment map that could not be made: a value, a key or the database was not there."""
    USED = "used"
    """A run was given one."""
    ROTATED = "rotated"
    REKEYED = "rekeyed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of a tenant's audit; `by` is the key that was shown, else how the caller is known.

    What a run was given is by that run. `layer` is what was changed, or where that is that something was given for;
    `asked` is the tenant that was asked for, when it is another one; `number` is its place, which the store gives.
    """

    id: str
    tenant: TenantId
    at: datetime
    action: AuditAction
    by: str
    layer: Layer = ALL
    names: tuple[str, ...] = ()
    asked: str | None = None
    number: int = 0
