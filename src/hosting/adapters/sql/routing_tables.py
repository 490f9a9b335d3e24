"""The tables of routers; as `tables`."""

from sqlalchemy import BigInteger, Column, Float, Index, LargeBinary, Table, Text, UniqueConstraint

from hosting.adapters.sql.tables import ROW_NUMBER, metadata

posteriors = Table(
    "routing_posteriors",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("work_type", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("alpha", Float(53), nullable=False),
    Column("beta", Float(53), nullable=False),
    Column("observations", BigInteger, nullable=False),
    Column("average_reward", Float(53), nullable=False),
    Column("average_cost", Float(53), nullable=False, comment="in dollars, over those observations that said one"),
    Column("costs", BigInteger, nullable=False, comment="how many those are"),
    Column("updated_at", BigInteger, nullable=False),
)

# No foreign keys: what was learnt in a session outlives it.
observations = Table(
    "routing_observations",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("observation_key", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("work_type", Text, nullable=False),
    Column("reward", Float(53), nullable=False),
    Column("cost", Float(53), comment="in dollars"),
    Column("outcome", LargeBinary, nullable=False, comment="what else was said, as JSON"),
    Column("observed_at", BigInteger, nullable=False),
    UniqueConstraint(
        "tenant",
        "session_id",
        "observation_key",
        "provider",
        "work_type",
        # PostgreSQL cuts names off behind 63 characters.
        name="uq_routing_observations_once",
    ),
    Index(None, "tenant", "observed_at", "number"),
)
