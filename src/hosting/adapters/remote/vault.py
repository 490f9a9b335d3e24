"""The credentials of a worker's runs, at its server."""

import asyncio
from typing import Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from hosting.adapters.remote.held import Held, HeldRuns, KnownEnvironment, patiently
from hosting.domain.credential_errors import SealKeyMissing
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.domain.wire_errors import ServerRefused
from hosting.ports.wire import Wire
from middleware.errors import CredentialUnusable

KEPT_SECONDS: Final = 60.0
"""How long an environment map is good here; no change is told to a worker of our own."""
_REFUSALS: Final = frozenset({"forbidden", "credential-unreadable"})


class _Map(Struct):
    env: dict[str, str]

    def __repr__(self) -> str:
        return "_Map(***)"


class RemoteVault:
    """See the door, RunVault: the whole map of a run is taken at once, kept for a minute, and gone with the run.

    Which project a run is of, the server says. All of it raises LeaseLost when the run is not held any more.
    """

    def __init__(self, wire: Wire, held: HeldRuns, environment: str) -> None:
        self._wire = wire
        self._held = held
        self._environment = environment

    async def credential(self, run: Run, project: str | None, name: str) -> Secret | None:
        """See RunVault.credential; raises CredentialUnusable for what the server cannot or will not open."""
        held, now = self._held.of_run(run.id), asyncio.get_running_loop().time()
        if held.environment is None or held.environment.good_until <= now:
            env = await patiently(held, lambda: self._taken(held, name))
            held.environment = KnownEnvironment(env, now + KEPT_SECONDS)
        return held.environment.env.get(name)

    async def names(self, tenant: TenantId, project: str | None) -> frozenset[str]:
        """See RunVault.names; none, since nobody defines agents at a worker."""
        return frozenset()

    async def _taken(self, held: Held, name: str) -> dict[str, Secret]:
        asked = urlencode({"worker": self._wire.worker_id, "environment": self._environment})
        try:
            answer = await self._wire.call("GET", f"{held.path}/credentials?{asked}")
        except ServerRefused as refused:
            # Asked again it would say the same: that ends the run, not the lease.
            if refused.problem == SealKeyMissing.code:
                raise SealKeyMissing from refused
            if refused.problem in _REFUSALS:
                raise CredentialUnusable(name, refused.detail) from refused
            raise
        return {key: Secret(value) for key, value in msgspec.json.decode(answer, type=_Map).env.items()}
