"""Definitions on SQL; every statement names the tenant, and what is secret in a config is stored sealed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, TypeVar, cast

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from events.ids import AgentId
from hosting.adapters.sql.definition_seals import DefinitionSeals
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.keyed_requests import keep_answer
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import agent_versions, agents, runs, steps
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.domain.definition import AgentConfig, Definition, DefinitionSummary, DefinitionVersion, Runtime
from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.scope import TenantId
from hosting.domain.sealed import SEALED
from hosting.domain.step import StepKind
from hosting.ports.credentials import Cipher

T = TypeVar("T")

_KEPT_AFTER_REPLACED: Final = timedelta(hours=1)

_OF_TENANT: Final = select(agents).where(agents.c.tenant == bindparam("owner"))
_SUMMARY: Final = _OF_TENANT.where(agents.c.id == bindparam("agent"))
_LOCKED: Final = _SUMMARY.with_for_update()
_SUMMARIES: Final = (
    _OF_TENANT.order_by(agents.c.created_at, agents.c.id).limit(bindparam("limit")).offset(bindparam("offset"))
)
_VERSIONS: Final = select(agent_versions).where(
    agent_versions.c.tenant == bindparam("owner"), agent_versions.c.agent_id == bindparam("agent")
)
_VERSION: Final = _VERSIONS.where(agent_versions.c.version == bindparam("number"))
_KNOWN: Final = _VERSIONS.with_only_columns(agent_versions.c.version).limit(1)
_DEFINITIONS: Final = (
    select(*agents.c, agent_versions.c.config)
    .join(
        agent_versions,
        (agent_versions.c.tenant == agents.c.tenant)
        & (agent_versions.c.agent_id == agents.c.id)
        & (agent_versions.c.version == agents.c.version),
    )
    .where(agents.c.tenant == bindparam("owner"))
)
_DEFINITION: Final = _DEFINITIONS.where(agents.c.id == bindparam("agent"))
_FOR_WORKERS: Final = _DEFINITIONS.where(agents.c.runtime == Runtime.WORKER).order_by(agents.c.created_at, agents.c.id)
_REVISE: Final = (
    update(agents)
    .where(agents.c.tenant == bindparam("owner"), agents.c.id == bindparam("agent"))
    .values(version=bindparam("number"), runtime=bindparam("where"), updated_at=bindparam("at"))
)
_RESEAL: Final = (
    update(agent_versions)
    .where(
        agent_versions.c.tenant == bindparam("owner"),
        agent_versions.c.agent_id == bindparam("agent"),
        agent_versions.c.version == bindparam("number"),
    )
    .values(config=bindparam("text"))
)
_REMOVE: Final = delete(agents).where(agents.c.tenant == bindparam("owner"), agents.c.id == bindparam("agent"))
_REPLACE: Final = (
    update(agent_versions)
    .where(
        agent_versions.c.tenant == bindparam("owner"),
        agent_versions.c.agent_id == bindparam("agent"),
        agent_versions.c.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("at"))
)

_REPLACED: Final = select(agent_versions.c.agent_id, agent_versions.c.version).where(
    agent_versions.c.tenant == bindparam("owner"), agent_versions.c.replaced_at < bindparam("before")
)
# Written out: with a bound status, no database would use the small indexes of the runs that have not ended.
_ACTIVE, _QUEUED = text("runs.status = 'active'"), text("runs.status = 'queued'")
_NEEDED: Final = [
    select(runs.c.agent_id, runs.c.agent_version)
    .where(runs.c.tenant == bindparam("owner"), runs.c.agent_version.is_not(None), unfinished)
    .distinct()
    for unfinished in (_ACTIVE, _QUEUED)
]
_NEEDED_INSIDE: Final = (
    select(steps.c.name, steps.c.agent_version)
    .join(runs, runs.c.id == steps.c.run_id)
    .where(
        runs.c.tenant == bindparam("owner"),
        _ACTIVE,
        steps.c.kind == StepKind.NESTED_RUN,
        steps.c.agent_version.is_not(None),
    )
    .distinct()
)
_FORGET: Final = delete(agent_versions).where(
    agent_versions.c.tenant == bindparam("owner"),
    agent_versions.c.agent_id == bindparam("agent"),
    agent_versions.c.version == bindparam("number"),
)


class _Place(TypedDict):
    owner: TenantId
    agent: AgentId


class SqlDefinitions:
    """See the door, Definitions."""

    def __init__(self, transactor: Transactor, reading: Reading, tenant: TenantId, cipher: Cipher) -> None:
        self._transactor = transactor
        self._reading = reading
        self._tenant = tenant
        self._seals = DefinitionSeals(cipher, tenant)

    async def add(self, definition: Definition, answered: AnsweredRequest | None = None) -> None:
        """See Definitions.add."""
        text = await self._seals.stored(definition.id, definition.config)

        def work(connection: Connection) -> None:
            keep_answer(connection, answered)
            _add(connection, self._tenant, definition, text)

        await self._surely(work)

    async def revise(self, agent_id: AgentId, config: AgentConfig, at: datetime) -> Definition | None:
        """See Definitions.revise."""
        text = await self._seals.stored(agent_id, config)

        def work(connection: Connection) -> Definition | None:
            place: _Place = {"owner": self._tenant, "agent": agent_id}
            # Two who revise at once must not both make the next version.
            if connection.execute(_LOCKED, place).first() is None:
                return None
            stored = self._to_definition(cast("Row[Any]", connection.execute(_DEFINITION, place).one()))
            return _revise(connection, place, stored, config, text=text, at=at)

        return await self._surely(work)

    async def remove(self, agent_id: AgentId, at: datetime) -> bool:
        """See Definitions.remove."""
        return await self._surely(lambda connection: _remove(connection, self._tenant, agent_id, at))

    async def summary(self, agent_id: AgentId) -> DefinitionSummary | None:
        """See Definitions.summary."""
        found = await rows(self._reading, _SUMMARY, owner=self._tenant, agent=agent_id)
        return next(map(_to_summary, found), None)

    async def definition(self, agent_id: AgentId) -> Definition | None:
        """See Definitions.definition."""
        found = await rows(self._reading, _DEFINITION, owner=self._tenant, agent=agent_id)
        return next(map(self._to_definition, found), None)

    async def is_known(self, agent_id: AgentId) -> bool:
        """See Definitions.is_known."""
        return bool(await rows(self._reading, _KNOWN, owner=self._tenant, agent=agent_id))

    async def version(self, agent_id: AgentId, version: int) -> DefinitionVersion | None:
        """See Definitions.version."""
        found = await rows(self._reading, _VERSION, owner=self._tenant, agent=agent_id, number=version)
        return next(map(self._to_version, found), None)

    async def summaries(self, limit: int, offset: int) -> list[DefinitionSummary]:
        """See Definitions.summaries."""
        found = await rows(self._reading, _SUMMARIES, owner=self._tenant, limit=limit, offset=offset)
        return [_to_summary(row) for row in found]

    async def for_workers(self) -> list[Definition]:
        """See Definitions.for_workers."""
        return [self._to_definition(row) for row in await rows(self._reading, _FOR_WORKERS, owner=self._tenant)]

    def _to_definition(self, row: Row[Any]) -> Definition:
        return Definition(**_summarized(row), config=self._seals.legible(row.id, row.config))

    def _to_version(self, row: Row[Any]) -> DefinitionVersion:
        config = self._seals.opened(row.agent_id, row.config)
        return DefinitionVersion(agent_id=row.agent_id, version=row.version, name=row.name, config=config)

    async def _surely(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._transactor.run(work)
        except CommitUnknown:
            # Done once more, it changes nothing where it was done already.
            return await self._transactor.run(work)


def _add(connection: Connection, tenant: TenantId, definition: Definition, text: bytes) -> None:
    row = {
        "tenant": tenant,
        "id": definition.id,
        "name": definition.name,
        "version": definition.version,
        "runtime": definition.runtime,
        "metadata": msgspec.json.encode(definition.metadata),
        "created_at": to_ticks(definition.created_at),
        "updated_at": to_ticks(definition.updated_at),
    }
    if connection.execute(insert_if_absent(connection.dialect.name, agents), row).rowcount:
        _add_version(connection, tenant, definition, text)
    _forget(connection, tenant, definition.updated_at)


def _add_version(connection: Connection, tenant: TenantId, definition: Definition, text: bytes) -> None:
    row = {
        "tenant": tenant,
        "agent_id": definition.id,
        "version": definition.version,
        "name": definition.name,
        "config": text,
    }
    connection.execute(insert(agent_versions), row)


def _revise(
    connection: Connection, place: _Place, stored: Definition, config: AgentConfig, *, text: bytes, at: datetime
) -> Definition:
    if stored.config.same_as(config):
        # What was stored before secrets were sealed, or with an older key, is sealed with the newest from now on.
        if SEALED.encode() in text:
            connection.execute(_RESEAL, {**place, "number": stored.version, "text": text})
        return stored
    revised = msgspec.structs.replace(
        stored, version=stored.version + 1, config=config, runtime=config.runtime, updated_at=at
    )
    given = {"number": revised.version, "where": revised.runtime, "at": to_ticks(at)}
    connection.execute(_REVISE, {**place, **given})
    connection.execute(_REPLACE, {**place, "at": to_ticks(at)})
    _add_version(connection, place["owner"], revised, text)
    _forget(connection, place["owner"], at)
    return revised


def _remove(connection: Connection, tenant: TenantId, agent_id: AgentId, at: datetime) -> bool:
    place = {"owner": tenant, "agent": agent_id}
    is_there = bool(connection.execute(_REMOVE, place).rowcount)
    connection.execute(_REPLACE, {**place, "at": to_ticks(at)})
    _forget(connection, tenant, at)
    return is_there


def _forget(connection: Connection, tenant: TenantId, now: datetime) -> None:
    """Let go of the versions that were replaced long ago, and that no run needs which has not ended."""
    before = to_ticks(now - _KEPT_AFTER_REPLACED)
    replaced = connection.execute(_REPLACED, {"owner": tenant, "before": before}).all()
    if not replaced:
        return
    needed = {
        tuple(row) for query in (*_NEEDED, _NEEDED_INSIDE) for row in connection.execute(query, {"owner": tenant})
    }
    gone = [{"owner": tenant, "agent": row[0], "number": row[1]} for row in replaced if tuple(row) not in needed]
    if gone:
        connection.execute(_FORGET, gone)


def _to_summary(row: Row[Any]) -> DefinitionSummary:
    return DefinitionSummary(**_summarized(row))


def _summarized(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "runtime": Runtime(row.runtime),
        "metadata": msgspec.json.decode(row.metadata),
        "created_at": from_ticks(row.created_at),
        "updated_at": from_ticks(row.updated_at),
    }
