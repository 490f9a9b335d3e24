"""The tables of what clients upload; as `tables`."""

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
    Table,
    Text,
    text,
)

from hosting.adapters.sql.tables import metadata

_UNFINISHED: Final = text("sha256 IS NULL")
_FIRST: Final = text("number = 0")

contents = Table(
    "contents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column(
        "branch_key",
        BigInteger,
        ForeignKey("branches.key", ondelete="SET NULL"),
        index=True,
        comment="the branch that it was uploaded through, while that is there",
    ),
    Column("name", Text, nullable=False, comment="the file's name where it came from"),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, comment="what is kept free for it, until it is whole"),
    Column("sha256", Text, comment="in hex, once it is whole"),
    Column("created_at", BigInteger, nullable=False),
    Column(
        "touched_at",
        Float(53),
        nullable=False,
        comment="when a part of it came last, in seconds since 1970 on the database's clock",
    ),
    ForeignKeyConstraint(["tenant", "session_id"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"),
    Index(None, "tenant", "session_id"),
    Index("ix_contents_unfinished_touched_at", "touched_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
)

# No foreign key: with one, whoever deletes a session would wait until a gigabyte of it has gone, and all who write
# would wait behind. What belongs to nothing any more goes piece by piece, see `contents_sweep`.
content_chunks = Table(
    "content_chunks",
    metadata,
    Column("content_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 0"),
    Column("tenant", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Index("ix_content_chunks_first_content_id", "content_id", sqlite_where=_FIRST, postgresql_where=_FIRST),
)
