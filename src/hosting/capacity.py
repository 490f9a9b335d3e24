"""How much a server may have of what clients make it have, as the settings and the process have it."""

import resource
from typing import Final

from hosting.api.capacity import Capacity
from hosting.domain.quota import Quota
from hosting.domain.turns import Turns
from hosting.runtime.run_quota import RunQuota
from hosting.settings import Settings

_FEWEST_CONNECTIONS: Final = 8


def capacity_of(settings: Settings) -> Capacity:
    """Return the counters of a server."""
    waiting = Quota[str](settings.requests_waiting, settings.requests_waiting_per_tenant)
    return Capacity(
        connections=Quota(_connections(settings), settings.connections_per_address),
        streams=Quota(settings.streams, settings.streams_per_tenant),
        runs=RunQuota(settings.runs, settings.runs_per_tenant),
        requests=Turns(settings.requests_at_once, settings.requests_at_once_per_tenant, waiting),
        body_bytes=Quota(settings.body_bytes, settings.body_bytes_per_tenant),
        writes=Quota(settings.writes_waiting, settings.writes_waiting_per_tenant),
    )


def allow_files(settings: Settings) -> None:
    """Let the process have as many files as its connections may take, as far as the machine lets it.

    A process may usually have 1024, which is what programs need that wait by `select`, and this one does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.connections * 4 // 3 + 1
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _connections(settings: Settings) -> int:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return settings.connections
    # The database and the providers of models are connected to as well, and without a file nothing can be accepted.
    return max(_FEWEST_CONNECTIONS, min(settings.connections, files * 3 // 4))
