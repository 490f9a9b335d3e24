"""The tables of credentials; as `tables`."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, LargeBinary, Table, Text

from hosting.adapters.sql.tables import ROW_NUMBER, metadata

credentials = Table(
    "credentials",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("layer", Text, primary_key=True, comment="the three names that follow, as a JSON array"),
    Column("name", Text, primary_key=True),
    Column("project", Text),
    Column("environment", Text),
    Column("session_id", Text),
    Column("sealed", LargeBinary, nullable=False, comment="the value, which only this server's keys open"),
    Column("key_id", Text, nullable=False, comment="the key that it is sealed with"),
    Column("updated_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant", "session_id"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"),
    Index(None, "tenant", "session_id"),
)

# Whoever changes a tenant's credentials moves its row first: so the numbers of changes become visible in their order.
credential_heads = Table(
    "credential_heads",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("head", BigInteger, nullable=False, comment="the number of the tenant's last change"),
)

credential_changes = Table(
    "credential_changes",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("names", LargeBinary, nullable=False, comment="names as a JSON array"),
    Column("project", Text),
    Column("environment", Text),
    Column("session_id", Text),
    Column("at", BigInteger, nullable=False),
)

credential_audit = Table(
    "credential_audit",
    metadata,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False, comment="the id of the key that was shown, or how the caller is known"),
    Column("project", Text),
    Column("environment", Text),
    Column("session_id", Text),
    Column("names", LargeBinary, nullable=False, comment="names as a JSON array"),
    Column("asked", Text, comment="the tenant that was asked for, when it is another one"),
    Index(None, "tenant", "number"),
    Index(None, "at"),
)
