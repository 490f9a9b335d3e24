"""What every verb of the runtime works with."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from events.ids import IdSource
from events.serializer import Serializer
from hosting.domain.lease import Holder, Lease
from hosting.domain.scope import TenantId
from hosting.ports.clock import Clock
from hosting.ports.contents import SessionContents
from hosting.ports.credentials import Cipher, RunVault
from hosting.ports.router import Router
from hosting.ports.store import LogReader, RunReads, TenantReads
from hosting.runtime.agent_task import Stragglers
from hosting.runtime.agents import Agents
from hosting.runtime.keyed import KeysUnderWay
from hosting.runtime.rings import Rings
from hosting.runtime.run_quota import RunQuota
from hosting.runtime.wakes import Wakes
from hosting.runtime.writer import Writer


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that verbs are made of, put together once by the bootstrap.

    `stragglers` are agents that ignore that they were cancelled.
    `holder` is the node that takes the runs which are accepted here; `run_accepted` hands it their leases.
    `wakes` knows who on this node waits for an answer or an interrupt.
    `cipher` seals what is secret of what is stored.
    Without a `vault` there are no credentials, and without `contents` no uploaded files.
    With `client_endpoints` clients may say where a model is, and with what key it is called.
    `keys_under_way` are the keyed requests that this process is busy with.
    `runs` counts what this node works on.
    Without a `router` every run takes the first of its candidates, and nothing is learnt of that.
    """

    agents: Agents
    serializer: Serializer
    ids: IdSource
    clock: Clock
    writer: Writer
    rings: Rings
    log: LogReader
    run_reads: RunReads
    tenant: Callable[[TenantId], TenantReads]
    stragglers: Stragglers
    holder: Holder
    wakes: Wakes
    run_accepted: Callable[[Lease], None]
    cipher: Cipher
    client_endpoints: bool = False
    router: Router | None = None
    vault: RunVault | None = None
    contents: SessionContents | None = None
    keys_under_way: KeysUnderWay = field(default_factory=KeysUnderWay)
    runs: RunQuota = field(default_factory=lambda: RunQuota(sys.maxsize, sys.maxsize))

    def hold(self, lease: Lease) -> None:
        """Begin to execute a run that this node holds from now on."""
        # Before anybody can know of the run: an interrupt must find it.
        self.wakes.inbox(lease.run.id)
        self.run_accepted(lease)
