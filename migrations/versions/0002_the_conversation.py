"""The conversation: questions, interrupts, the queue, kept state, and steps inside of steps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("branches") as table:
        table.add_column(sa.Column("queue_length", sa.Integer(), nullable=False, server_default="0"))
    _queue()
    _places()
    _interactions()
    op.create_table(
        "interrupts",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False, comment="empty for the whole run"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_interrupts_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "flow", name=op.f("pk_interrupts")),
    )
    _states()


def _queue() -> None:
    with op.batch_alter_table("runs") as table:
        table.alter_column("started_at", existing_type=sa.BigInteger(), nullable=True)
        table.add_column(sa.Column("queued_at", sa.BigInteger()))
        table.add_column(
            sa.Column("queue_place", sa.BigInteger(), comment="who waits is served by this, the smallest first")
        )
        table.add_column(sa.Column("waiting", sa.LargeBinary(), comment="the messages of a run that waits"))
        table.create_index(
            "ix_runs_queued_branch_key_queue_place",
            ["branch_key", "queue_place"],
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )


def _places() -> None:
    with op.batch_alter_table("steps") as table:
        table.alter_column(
            "ordinal",
            new_column_name="place",
            existing_type=sa.Integer(),
            type_=sa.Text(),
            existing_nullable=False,
            postgresql_using="ordinal::text",
        )
        table.add_column(sa.Column("flow", sa.Text()))


def _interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("branch_key", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("request_type", sa.Text(), nullable=False),
        sa.Column("response_type", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), comment="what the request says of it"),
        sa.Column("expires_at", sa.Float(53), comment="seconds since 1970 on the database's clock, which decides"),
        sa.Column("response", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["branch_key"], ["branches.key"], name=op.f("fk_interactions_branch_key_branches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_interactions_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_interactions")),
        sa.UniqueConstraint("branch_key", "id", name=op.f("uq_interactions_branch_key_id")),
    )
    with op.batch_alter_table("interactions") as table:
        table.create_index(op.f("ix_interactions_run_id"), ["run_id"])
        table.create_index(
            "ix_interactions_open_expires_at",
            ["expires_at"],
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def _states() -> None:
    op.create_table(
        "session_state",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "session_id"],
            ["sessions.tenant", "sessions.id"],
            name=op.f("fk_session_state_tenant_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "session_id", "name", name=op.f("pk_session_state")),
    )
    op.create_table(
        "branch_state",
        sa.Column("branch_key", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_key"], ["branches.key"], name=op.f("fk_branch_state_branch_key_branches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("branch_key", "name", name=op.f("pk_branch_state")),
    )
