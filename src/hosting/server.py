"""A server: what stays the same for the life of an application, and the parts of it that run."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from events.catalog import Catalog
from events.control import CloseReason
from hosting.adapters.git.static_credentials import StaticGitCredentials
from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.adapters.sql.database import Database
from hosting.adapters.sql.sqlite_file import OnConnect
from hosting.adapters.tokens.worker_tokens import JwtWorkerTokens
from hosting.api.caller import Caller, caller_for
from hosting.api.callers import Callers
from hosting.api.capacity import Capacity
from hosting.capacity import capacity_of
from hosting.dispatch.dispatcher import Dispatcher
from hosting.domain.identity import LOCAL, Identity
from hosting.ports.clock import system_clock
from hosting.ports.git_credentials import GitCredentials
from hosting.ports.tracker import Tracker
from hosting.roster import Roster
from hosting.runtime.agent_task import Stragglers
from hosting.runtime.core import Runtime
from hosting.runtime.rings import Rings
from hosting.services.content.core import Contents
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.trail import Trail
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.remote_runs import RemoteRuns
from hosting.services.routing.core import Router
from hosting.services.routing.sampler import Sampler
from hosting.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class Server:
    """What stays the same for the life of an application, running or not.

    `fatal` is called when something that must not end has ended, and `failed` is set; the process should follow it.
    `refused` says why the application could not start; `stragglers` are agents that ignore that they were cancelled.
    """

    settings: Settings
    roster: Roster
    catalog: Catalog
    fatal: Callable[[BaseException], None]
    on_connect: OnConnect | None = None
    git: GitCredentials = field(default_factory=lambda: StaticGitCredentials(None, system_clock))
    tracker: Tracker | None = None
    rings: Rings = field(init=False)
    recovered: asyncio.Event = field(default_factory=asyncio.Event)
    runtime: Runtime | None = None
    database: Database | None = None
    tokens: JwtWorkerTokens | None = None
    callers: Callers | None = None
    fleet: Fleet | None = None
    sampler: Sampler | None = None
    router: Router | None = None
    remote: RemoteRuns | None = None
    cipher: AesGcmCipher | None = None
    trail: Trail | None = None
    credentials: Credentials | None = None
    contents: Contents | None = None
    dispatcher: Dispatcher | None = None
    stragglers: Stragglers = field(default_factory=set)
    refused: str = ""
    failed: bool = False
    capacity: Capacity = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters, which count from the first connection on."""
        self.capacity = capacity_of(self.settings)
        self.rings = Rings(budget_bytes=self.settings.ring_bytes)

    def shut(self, reason: CloseReason) -> None:
        """Send the followers away; the first thing on the way out."""
        self.rings.shut(reason)
        if self.credentials is not None:
            self.credentials.news.shut()

    async def finish_runs(self) -> None:
        """Begin no more runs, give those that are under way the grace, and give back what has not ended then."""
        if self.dispatcher is not None and not self.failed:
            await self.dispatcher.finish(self.settings.grace_seconds)

    def caller(self, identity: Identity = LOCAL) -> Caller:
        """Return the hands of somebody."""
        return caller_for(started(self.runtime), identity)

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        await started(self.database).ping()


def started(part: T | None) -> T:
    """Return a part of a server that runs.

    Raises:
        RuntimeError: it does not.
    """
    if part is None:
        raise RuntimeError("The application has not started; enter its lifespan first.")
    return part
