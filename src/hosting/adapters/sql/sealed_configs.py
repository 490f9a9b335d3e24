"""Configs that can hold something sealed, on SQL, of all tenants: for who seals it anew."""

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, text, update

from events.ids import AgentId, RunId
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import agent_versions, runs
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.scope import TenantId
from hosting.domain.sealed_place import SealedPlace

_VERSIONS: Final = select(agent_versions.c.tenant, agent_versions.c.agent_id, agent_versions.c.version)
# Written out: with a bound status, no database would use the small indexes of the runs that have not ended.
_UNFINISHED: Final = [
    select(runs.c.tenant, runs.c.id).where(text(f"runs.status = '{status}'")) for status in ("active", "queued")
]
_OF_VERSION: Final = (
    (agent_versions.c.tenant == bindparam("owner"))
    & (agent_versions.c.agent_id == bindparam("agent"))
    & (agent_versions.c.version == bindparam("number"))
)
_OF_RUN: Final = (runs.c.tenant == bindparam("owner")) & (runs.c.id == bindparam("run"))
_VERSIONS_CONFIG: Final = select(agent_versions.c.config).where(_OF_VERSION)
_RUNS_CONFIG: Final = select(runs.c.config).where(_OF_RUN)
_PUT_VERSIONS: Final = (
    update(agent_versions)
    .where(_OF_VERSION, agent_versions.c.config == bindparam("before"))
    .values(config=bindparam("after"))
)
_PUT_RUNS: Final = update(runs).where(_OF_RUN, runs.c.config == bindparam("before")).values(config=bindparam("after"))


class SqlSealedConfigs:
    """See the door, SealedConfigs."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def places(self, tenant: TenantId | None) -> list[SealedPlace]:
        """See SealedConfigs.places."""
        versions = _VERSIONS if tenant is None else _VERSIONS.where(agent_versions.c.tenant == tenant)
        defined = [
            SealedPlace.of_definition(TenantId(row.tenant), AgentId(row.agent_id), row.version)
            for row in await rows(self._reading, versions)
        ]
        unfinished = [query if tenant is None else query.where(runs.c.tenant == tenant) for query in _UNFINISHED]
        return defined + [
            SealedPlace.of_run(TenantId(row.tenant), RunId(row.id))
            for query in unfinished
            for row in await rows(self._reading, query)
        ]

    async def config(self, place: SealedPlace) -> bytes | None:
        """See SealedConfigs.config."""
        query = _RUNS_CONFIG if place.version is None else _VERSIONS_CONFIG
        found = await rows(self._reading, query, **_key(place))
        return found[0].config if found else None

    async def replace(self, place: SealedPlace, before: bytes, after: bytes) -> bool:
        """See SealedConfigs.replace."""
        statement = _PUT_RUNS if place.version is None else _PUT_VERSIONS
        given = {**_key(place), "before": before, "after": after}

        def work(connection: Connection) -> bool:
            return bool(connection.execute(statement, given).rowcount)

        return await self._transactor.run(work)


def _key(place: SealedPlace) -> dict[str, Any]:
    if place.version is None:
        return {"owner": place.tenant, "run": place.owner}
    return {"owner": place.tenant, "agent": place.owner, "number": place.version}
