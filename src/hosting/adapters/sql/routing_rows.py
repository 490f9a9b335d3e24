"""Rows of routers: how an observation is kept, and moves its arm's posterior in the same transaction."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Float, Row, bindparam, cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from hosting.adapters.sql.dialect import POSTGRESQL, insert_if_absent
from hosting.adapters.sql.faults import is_mistake
from hosting.adapters.sql.routing_tables import observations, posteriors
from hosting.adapters.sql.savepoint import Savepoint
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.domain.arm import Arm
from hosting.domain.observation import Observation, RunOutcome
from hosting.domain.posterior import NOTHING_KNOWN, Posterior, evidence
from hosting.domain.scope import TenantId
from hosting.ports.routing import Known, Place, Recorded

_log = structlog.get_logger("branchline.routing")

_KEY: Final = (posteriors.c.tenant, posteriors.c.work_type, posteriors.c.provider)


@cache
def _learn(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Move a posterior by what an observation says; all arithmetic is the database's, under the row's lock."""
    insert = postgresql.insert if dialect == POSTGRESQL else sqlite.insert
    known = posteriors.c
    number = Float(53)
    reward, cost = bindparam("reward", type_=number), bindparam("cost", type_=number)
    says_cost = bindparam("says_cost", type_=number)
    gained, lost = bindparam("gained", type_=number), bindparam("lost", type_=number)
    # Divided as broken numbers: whole ones would be cut off.
    count, costs = cast(known.observations + 1, number), cast(known.costs + 1, number)
    return insert(posteriors).on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "alpha": known.alpha + gained,
            "beta": known.beta + lost,
            "observations": known.observations + 1,
            "average_reward": known.average_reward + (reward - known.average_reward) / count,
            "average_cost": known.average_cost + says_cost * (cost - known.average_cost) / costs,
            "costs": known.costs + bindparam("counted_costs"),
            "updated_at": bindparam("at"),
        },
    )


def observe(connection: Connection, observation: Observation) -> bool:
    """Keep an observation and learn from it; False when it was there before, and then nothing has changed."""
    dialect = connection.dialect.name
    if not connection.execute(insert_if_absent(dialect, observations), _observation_row(observation)).rowcount:
        return False
    connection.execute(_learn(dialect), _learnt(observation))
    return True


def observe_all(connection: Connection, told: Sequence[Observation]) -> None:
    """Do so with many, in one order everywhere: two transactions that move the same arms must not wait for each other.

    Nothing else may be locked after it in the transaction.
    What the tables do not take is not learnt: the run that it was observed of must end all the same.
    """
    if not told:
        return
    try:
        with Savepoint(connection):
            for observation in sorted(told, key=_lock_order):
                observe(connection, observation)
    except DBAPIError as error:
        if not is_mistake(error):
            raise
        if len(told) == 1:
            _log.error("an observation cannot be stored", session=told[0].session_id, error=repr(error)[:500])
            return
        for observation in sorted(told, key=_lock_order):
            observe_all(connection, [observation])


def to_posterior(row: Row[Any]) -> Posterior:
    """Read what a row of `routing_posteriors` knows."""
    return Posterior(row.alpha, row.beta, row.observations, row.average_reward, row.average_cost, row.costs)


def to_known(row: Row[Any]) -> Known:
    """Read a row of `routing_posteriors`."""
    return Known(Arm(TenantId(row.tenant), row.provider, row.work_type), to_posterior(row))


def to_recorded(row: Row[Any]) -> Recorded:
    """Read a row of `routing_observations`."""
    at = from_ticks(row.observed_at)
    observation = Observation(
        arm=Arm(TenantId(row.tenant), row.provider, row.work_type),
        session_id=row.session_id,
        key=row.observation_key,
        reward=row.reward,
        observed_at=at,
        cost=row.cost,
        outcome=msgspec.json.decode(row.outcome, type=RunOutcome),
    )
    return Recorded(observation, Place(at, row.number))


def _lock_order(observation: Observation) -> tuple[str, ...]:
    arm = observation.arm
    return arm.tenant, arm.work_type, arm.provider, observation.session_id, observation.key


def _observation_row(observation: Observation) -> dict[str, Any]:
    arm = observation.arm
    return {
        "tenant": arm.tenant,
        "session_id": observation.session_id,
        "observation_key": observation.key,
        "provider": arm.provider,
        "work_type": arm.work_type,
        "reward": observation.reward,
        "cost": observation.cost,
        "outcome": msgspec.json.encode(observation.outcome),
        "observed_at": to_ticks(observation.observed_at),
    }


def _learnt(observation: Observation) -> dict[str, Any]:
    """Return the row of an arm that nothing was known of before, and by how much another one moves."""
    arm, cost = observation.arm, observation.cost
    first = NOTHING_KNOWN.learn(observation.reward, cost)
    gained, lost = evidence(observation.reward)
    return {
        "tenant": arm.tenant,
        "work_type": arm.work_type,
        "provider": arm.provider,
        "alpha": first.alpha,
        "beta": first.beta,
        "observations": first.observations,
        "average_reward": first.average_reward,
        "average_cost": first.average_cost,
        "costs": first.costs,
        "updated_at": to_ticks(observation.observed_at),
        "reward": observation.reward,
        "cost": 0.0 if cost is None else cost,
        "says_cost": 0.0 if cost is None else 1.0,
        "gained": gained,
        "lost": lost,
        "counted_costs": int(cost is not None),
        "at": to_ticks(observation.observed_at),
    }
