"""The tables, for SQLite and PostgreSQL alike; times are microseconds since 1970 in UTC."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NO_CONFIG = b"{}"
"""How a run is to be done when its input does not say, and once it has ended."""

ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

sessions = Table(
    "sessions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_activity", BigInteger, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Index(None, "tenant", "last_activity"),
)

# What is listed; the config itself is with its version.
agents = Table(
    "agents",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("runtime", Text, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "tenant", "created_at", "id"),
)

# No foreign key: a version outlives its agent while a run needs it.
agent_versions = Table(
    "agent_versions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("agent_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("config", LargeBinary, nullable=False),
    Column("replaced_at", BigInteger, comment="when another version, or none, took its place"),
    Index(
        "ix_agent_versions_replaced_tenant_replaced_at",
        "tenant",
        "replaced_at",
        sqlite_where=text("replaced_at IS NOT NULL"),
        postgresql_where=text("replaced_at IS NOT NULL"),
    ),
)

branches = Table(
    "branches",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("next_seq", BigInteger, nullable=False),
    Column(
        "trimmed",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="the number of the last event that its log has lost",
    ),
    Column("fence", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_activity", BigInteger, nullable=False),
    Column("name", Text),
    Column("description", Text),
    Column("tags", LargeBinary),
    Column("metadata", LargeBinary),
    Column("message_count", Integer, nullable=False),
    Column("queue_length", Integer, nullable=False, server_default="0"),
    Column("first_user_text", Text),
    Column("forked_from", Text),
    Column("forked_at_message_id", Text),
    Column("forked_at_message_index", Integer),
    Column("ancestors", LargeBinary, comment="ids as a JSON array; the last one is forked_from"),
    Column("folded_to", BigInteger, nullable=False, server_default="0"),
    Column(
        "fold_due",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="events up to this one are to be folded; 0 when none are",
    ),
    Index(
        "ix_branches_fold_due_key",
        "key",
        sqlite_where=text("fold_due > 0"),
        postgresql_where=text("fold_due > 0"),
    ),
    UniqueConstraint("tenant", "session_id", "id"),
    ForeignKeyConstraint(["tenant", "session_id"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"),
)

runs = Table(
    "runs",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("branch_key", BigInteger, ForeignKey("branches.key", ondelete="CASCADE"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("turn_id", Text),
    Column("trace_id", Text),
    Column("input", LargeBinary, nullable=False),
    Column("config", LargeBinary, nullable=False),
    Column("queued_at", BigInteger),
    Column("queue_place", BigInteger, comment="who waits is served by this, the smallest first"),
    Column("waiting", LargeBinary, comment="the messages of a run that waits"),
    Column("agent_version", Integer, comment="of the agent's definition, when it has a stored one"),
    Column("work_item", Text, comment="the item that it is in the fleet, when its agent's runs are for workers"),
    Column("rating", Float(53), comment="from 0 to 1, as a client has rated the run"),
    Index(None, "branch_key", "number"),
    Index(
        "ix_runs_queued_branch_key_queue_place",
        "branch_key",
        "queue_place",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    # What nodes look through for runs that nobody holds; those of workers are found by their items.
    Index(
        "ix_runs_active_on_nodes_number",
        "number",
        sqlite_where=text("status = 'active' AND work_item IS NULL"),
        postgresql_where=text("status = 'active' AND work_item IS NULL"),
    ),
    # One active run a branch, however many servers race for it.
    Index(
        "uq_runs_active_branch_key",
        "branch_key",
        unique=True,
        sqlite_where=text("status = 'active'"),
        postgresql_where=text("status = 'active'"),
    ),
)

leases = Table(
    "leases",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", Float(53), nullable=False, comment="seconds since 1970 on the database's clock"),
)

messages = Table(
    "messages",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("branch_key", BigInteger, ForeignKey("branches.key", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("run_id", Text),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("contents", LargeBinary, nullable=False),
    UniqueConstraint("branch_key", "id"),
    Index(None, "run_id"),
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("arguments_hash", Text, nullable=False),
    Column("result", LargeBinary),
    Column("flow", Text),
    Column("agent_version", Integer, comment="of a nested run's agent, as that of a run"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("branch_key", BigInteger, ForeignKey("branches.key", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("request_type", Text, nullable=False),
    Column("response_type", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("deadline", BigInteger, comment="what the request says of it"),
    Column("expires_at", Float(53), comment="seconds since 1970 on the database's clock, which decides"),
    Column("response", LargeBinary),
    UniqueConstraint("branch_key", "id"),
    Index(None, "run_id"),
    Index(
        "ix_interactions_open_expires_at",
        "expires_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

interrupts = Table(
    "interrupts",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("flow", Text, primary_key=True, comment="empty for the whole run"),
    Column("tenant", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
)

session_state = Table(
    "session_state",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    ForeignKeyConstraint(["tenant", "session_id"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"),
)

branch_state = Table(
    "branch_state",
    metadata,
    Column("branch_key", BigInteger, ForeignKey("branches.key", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

# Appended to and read by branch; rows that lie next to each other are folded into one later, to the same events.
# No foreign key: the branch row is locked by the same transaction.
events = Table(
    "events",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("branch_key", BigInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("run_id", Text),
    Column("frames", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("packing", Text, comment="how the frames are packed; NULL when they are not"),
    Index("uq_events_branch_key_last_seq", "branch_key", "last_seq", unique=True),
)

# What was answered to requests that may come again; written with what the answer tells of.
keyed_requests = Table(
    "keyed_requests",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False, comment="SHA-256 of the body, in hex"),
    Column("received_at", BigInteger, nullable=False),
    Column("location", Text),
    Column("body", LargeBinary, nullable=False),
    Index(None, "received_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True, comment="SHA-256 of the whole key, in hex"),
    Column("tenant", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("project", Text),
    Column("shown", Text, nullable=False, comment="how the key begins"),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index(None, "tenant", "created_at"),
)
