"""What clients have uploaded, in chunks."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column(
            "branch_key", sa.BigInteger(), comment="the branch that it was uploaded through, while that is there"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="the file's name where it came from"),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="what is kept free for it, until it is whole"),
        sa.Column("sha256", sa.Text(), comment="in hex, once it is whole"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "touched_at",
            sa.Float(53),
            nullable=False,
            comment="when a part of it came last, in seconds since 1970 on the database's clock",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "session_id"],
            ["sessions.tenant", "sessions.id"],
            name=op.f("fk_contents_tenant_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["branch_key"], ["branches.key"], name=op.f("fk_contents_branch_key_branches"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contents")),
    )
    op.create_index(op.f("ix_contents_tenant_session_id"), "contents", ["tenant", "session_id"])
    op.create_index(op.f("ix_contents_branch_key"), "contents", ["branch_key"])
    unfinished = sa.text("sha256 IS NULL")
    op.create_index(
        "ix_contents_unfinished_touched_at",
        "contents",
        ["touched_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "content_chunks",
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 0"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("content_id", "number", name=op.f("pk_content_chunks")),
    )
    first = sa.text("number = 0")
    op.create_index(
        "ix_content_chunks_first_content_id",
        "content_chunks",
        ["content_id"],
        sqlite_where=first,
        postgresql_where=first,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Files are mostly packed already: to try to press them once more costs time and wins nothing.
        op.execute("ALTER TABLE content_chunks ALTER COLUMN data SET STORAGE EXTERNAL")
