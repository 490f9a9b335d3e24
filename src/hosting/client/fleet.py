"""An operator's hands on the workers of a server."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from msgspec import Struct

from hosting.client.connection import Connection
from hosting.client.credentials import Credentials
from hosting.client.dead_letter import DeadLetter, DeadLetters, Requeued
from hosting.client.fleet_worker import FleetShown, HostStatusShown, Mutation
from hosting.client.patience import Patience


class _HostStatusSet(Struct, rename="camel"):
    host_status: HostStatusShown


class Fleet:
    """Speaks to one server about its workers, as an operator; `async with` closes its connections.

    Every request raises what those of Client do.
    """

    def __init__(self, url: str, *, key: str | None = None, patience: Patience | None = None) -> None:
        """Prepare to speak to the server at `url`; see Client.

        Raises:
            AddressRefused, KeyRefused: see Client.
        """
        self._connection = Connection(url, key, patience or Patience())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    @property
    def credentials(self) -> Credentials:
        """The credentials of the operator's tenant."""
        return Credentials(self._connection)

    async def workers(self) -> FleetShown:
        """Return the workers, those heard of last first."""
        return await self._connection.get("/api/workers", FleetShown)

    async def set_host_status(
        self, worker_id: str, status: str, *, recommended_action: str | None = None
    ) -> HostStatusShown:
        """Tell a worker whether it is to ask for work: all but `ok` tell it not to, and it is given none."""
        body = {"status": status} | ({} if recommended_action is None else {"recommendedAction": recommended_action})
        return (await self._connection.put(f"{_path(worker_id)}/host-status", body, _HostStatusSet)).host_status

    async def mutate(
        self, worker_id: str, op: str, params: dict[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Mutation:
        """Ask a worker to do something to its host."""
        body = {"op": op, "params": params or {}}
        return await self._connection.create(f"{_path(worker_id)}/mutations", body, Mutation, idempotency_key)

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return what too many workers were lost with, at most two hundred, the last first."""
        return (await self._connection.get("/api/work/dead", DeadLetters)).items

    async def requeue(self, session_id: str, *, idempotency_key: str | None = None) -> Requeued:
        """Submit the input of what was given up once more; a second time is refused."""
        path = f"/api/work/dead/{quote(session_id, safe='')}/requeue"
        return await self._connection.create(path, {}, Requeued, idempotency_key)


def _path(worker_id: str) -> str:
    return f"/api/workers/{quote(worker_id, safe='')}"
