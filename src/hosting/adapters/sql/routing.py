"""What routers have learnt, on SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, tuple_

from hosting.adapters.sql.faults import all_unavailable
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.routing_rows import observe, to_known, to_posterior, to_recorded
from hosting.adapters.sql.routing_tables import observations, posteriors
from hosting.adapters.sql.tables import agent_versions, runs
from hosting.adapters.sql.times import to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import StorageUnavailable
from hosting.domain.observation import Observation
from hosting.domain.posterior import Posterior
from hosting.domain.scope import TenantId
from hosting.domain.toolset_config import MASK
from hosting.domain.work_item import WorkItemId
from hosting.ports.routing import Dispatch, Known, Place, Recorded

_MOST_OBSERVATIONS: Final = 10_000
_MOST_ARMS: Final = 1_000
_KEPT_IN_ANY_CASE: Final = timedelta(days=1)
_FORGOTTEN_AFTER: Final = timedelta(days=90)
_AT_ONCE: Final = 2_000

_WORK = ITEMS.selected_columns
_DISPATCH: Final = (
    ITEMS.add_columns(runs.c.config.label("run_config"), agent_versions.c.config.label("agent_config"))
    .join(runs, runs.c.id == _WORK.run_id)
    .outerjoin(
        agent_versions,
        (agent_versions.c.tenant == runs.c.tenant)
        & (agent_versions.c.agent_id == runs.c.agent_id)
        & (agent_versions.c.version == runs.c.agent_version),
    )
    .where(_WORK.id == bindparam("item"), _WORK.tenant == bindparam("owner"))
)
_POSTERIORS: Final = select(posteriors).where(
    posteriors.c.tenant == bindparam("owner"),
    posteriors.c.work_type == bindparam("work"),
    posteriors.c.provider.in_(bindparam("names", expanding=True)),
)
_ARMS: Final = (
    select(posteriors)
    .where(posteriors.c.tenant == bindparam("owner"))
    .order_by(posteriors.c.work_type, posteriors.c.provider)
    .limit(bindparam("most"))
)
_ORDER: Final = tuple_(observations.c.observed_at, observations.c.number)
_NEWEST: Final = (
    select(observations)
    .where(observations.c.tenant == bindparam("owner"))
    .order_by(observations.c.observed_at.desc(), observations.c.number.desc())
)
_TOO_MANY: Final = (
    select(observations.c.tenant).group_by(observations.c.tenant).having(func.count() > _MOST_OBSERVATIONS)
)
_LAST_KEPT: Final = (
    _NEWEST.with_only_columns(observations.c.observed_at, observations.c.number).offset(_MOST_OBSERVATIONS - 1).limit(1)
)
_FORGET: Final = delete(observations).where(
    observations.c.number.in_(
        select(observations.c.number)
        .where(
            observations.c.tenant == bindparam("owner"),
            observations.c.observed_at < bindparam("before"),
            tuple_(bindparam("last_at"), bindparam("last_number")) > _ORDER,
        )
        .limit(_AT_ONCE)
    )
)
_FORGET_UNTOUCHED: Final = delete(posteriors).where(posteriors.c.updated_at < bindparam("before"))
_TOO_MANY_ARMS: Final = select(posteriors.c.tenant).group_by(posteriors.c.tenant).having(func.count() > _MOST_ARMS)
_LEAST_RECENT: Final = (
    select(posteriors.c.work_type, posteriors.c.provider)
    .where(posteriors.c.tenant == bindparam("owner"))
    .order_by(posteriors.c.updated_at.desc(), posteriors.c.work_type, posteriors.c.provider)
    .offset(_MOST_ARMS)
)
_FORGET_ARM: Final = delete(posteriors).where(
    posteriors.c.tenant == bindparam("owner"),
    posteriors.c.work_type == bindparam("work"),
    posteriors.c.provider == bindparam("name"),
)


class SqlRouting:
    """See the door, RoutingStore."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def dispatch(self, tenant: TenantId, item_id: WorkItemId) -> Dispatch | None:
        """See RoutingStore.dispatch."""
        found = await all_unavailable(rows(self._reading, _DISPATCH, owner=tenant, item=item_id))
        try:
            return next(map(_to_dispatch, found), None)
        except msgspec.DecodeError as error:
            raise StorageUnavailable(f"the definition of the agent of {item_id} cannot be read") from error

    async def posteriors(self, tenant: TenantId, work_type: str, providers: Collection[str]) -> Mapping[str, Posterior]:
        """See RoutingStore.posteriors."""
        wanted = rows(self._reading, _POSTERIORS, owner=tenant, work=work_type, names=list(providers))
        found = await all_unavailable(wanted)
        return {row.provider: to_posterior(row) for row in found}

    async def learn(self, observation: Observation) -> bool:
        """See RoutingStore.learn."""
        return await all_unavailable(self._transactor.run(lambda connection: observe(connection, observation)))

    async def arms(self, tenant: TenantId, limit: int) -> Sequence[Known]:
        """See RoutingStore.arms."""
        return [to_known(row) for row in await all_unavailable(rows(self._reading, _ARMS, owner=tenant, most=limit))]

    async def observations(
        self,
        tenant: TenantId,
        limit: int,
        *,
        behind: Place | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Recorded]:
        """See RoutingStore.observations."""
        wanted = _NEWEST.limit(limit)
        if behind is not None:
            wanted = wanted.where(tuple_(to_ticks(behind.observed_at), behind.number) > _ORDER)
        if since is not None:
            wanted = wanted.where(observations.c.observed_at >= to_ticks(since))
        if until is not None:
            wanted = wanted.where(observations.c.observed_at <= to_ticks(until))
        return [to_recorded(row) for row in await all_unavailable(rows(self._reading, wanted, owner=tenant))]

    async def prune(self, at: datetime) -> int:
        """See RoutingStore.prune."""
        forgotten = await all_unavailable(self._transactor.run(lambda connection: _forget_arms(connection, at)))
        for (tenant,) in await all_unavailable(rows(self._reading, _TOO_MANY)):
            forgotten += await self._prune_observations(tenant, at)
        return forgotten

    async def _prune_observations(self, tenant: TenantId, at: datetime) -> int:
        last = await all_unavailable(rows(self._reading, _LAST_KEPT, owner=tenant))
        if not last:
            return 0
        given = {
            "owner": tenant,
            "before": to_ticks(at - _KEPT_IN_ANY_CASE),
            "last_at": last[0].observed_at,
            "last_number": last[0].number,
        }
        forgotten = 0
        while True:
            # In pieces: whoever waits to write must not wait for all of them.
            piece = await all_unavailable(
                self._transactor.run(lambda connection: connection.execute(_FORGET, given).rowcount)
            )
            forgotten += piece
            if piece < _AT_ONCE:
                return forgotten


def _forget_arms(connection: Connection, at: datetime) -> int:
    forgotten = connection.execute(_FORGET_UNTOUCHED, {"before": to_ticks(at - _FORGOTTEN_AFTER)}).rowcount
    for tenant in connection.scalars(_TOO_MANY_ARMS).all():
        surplus = connection.execute(_LEAST_RECENT, {"owner": tenant}).all()
        # In the order in which they are learnt of.
        doomed = [{"owner": tenant, "work": each.work_type, "name": each.provider} for each in sorted(surplus)]
        connection.execute(_FORGET_ARM, doomed)
        forgotten += len(doomed)
    return forgotten


def _to_dispatch(row: Any) -> Dispatch:
    defined = None if row.agent_config is None else AgentConfig.of_stored(row.agent_config, lambda _: MASK.encode())
    return Dispatch(to_item(row), row.run_config, defined)
