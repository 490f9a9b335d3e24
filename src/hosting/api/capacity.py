"""How much the server may have of what clients make it have, and how much of that there is now."""

from dataclasses import dataclass

from hosting.domain.quota import Quota
from hosting.domain.turns import Turns
from hosting.runtime.run_quota import RunQuota


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is counted: connections by address, streams and runs by tenant, the rest by share.

    The rest is requests, their bodies, and changes that wait for the store. A share is a tenant's, or that of all whom
    nobody knows yet; see `Shares`.
    """

    connections: Quota[str]
    streams: Quota[str]
    runs: RunQuota
    requests: Turns[str]
    body_bytes: Quota[str]
    writes: Quota[str]
