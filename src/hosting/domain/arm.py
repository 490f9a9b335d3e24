"""What a router chooses among."""

from dataclasses import dataclass

from hosting.domain.scope import TenantId


@dataclass(frozen=True, slots=True)
class Arm:
    """A provider for a type of work, to one tenant; what another tenant learns of it is another arm's."""

    tenant: TenantId
    provider: str
    work_type: str
