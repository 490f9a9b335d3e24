"""A change among a tenant's credentials: names, never values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hosting.domain.credential import Layer, Place
from hosting.domain.scope import TenantId

SET: Final = "set"
DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """Something that was changed, the `number`-th of its tenant; `kind` is SET, DELETED, or what somebody announced."""

    tenant: TenantId
    number: int
    kind: str
    names: tuple[str, ...]
    layer: Layer
    at: datetime

    def concerns(self, place: Place, environment: str | None) -> bool:
        """Whether whoever works in a place has to look again; no environment stands for all."""
        layer = self.layer if environment is not None else Layer(self.layer.project, None, self.layer.session)
        return self.tenant == place.tenant and place.is_in(layer)
