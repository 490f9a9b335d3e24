"""What every verb of the runtime works with."""

from collections.abc import Callable
from dataclasses import dataclass

from events.ids import IdSource, RunId
from events.serializer import Serializer
from hosting.domain.scope import TenantId
from hosting.ports.clock import Clock
from hosting.ports.store import Leases, LogReader, RunReads, TenantReads
from hosting.runtime.agents import Agents
from hosting.runtime.rings import Rings
from hosting.runtime.writer import Writer


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that verbs are made of, put together once by the bootstrap.

    `run_accepted` wakes whoever picks up runs; it is a hint, the run is stored already.
    """

    agents: Agents
    serializer: Serializer
    ids: IdSource
    clock: Clock
    writer: Writer
    rings: Rings
    log: LogReader
    run_reads: RunReads
    leases: Leases
    tenant: Callable[[TenantId], TenantReads]
    run_accepted: Callable[[RunId], None]
