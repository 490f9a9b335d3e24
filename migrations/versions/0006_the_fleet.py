"""Workers, and the work that is offered to them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lane_items",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="the item as workers get it, as JSON"),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column(
            "expires_at",
            sa.Float(precision=53),
            nullable=True,
            comment="until when its worker has it, on the database's clock",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "auth_hash", sa.Text(), nullable=True, comment="of what opens its result, as its worker was told it last"
        ),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lane_items")),
        sa.UniqueConstraint("auth_hash", name=op.f("uq_lane_items_auth_hash")),
        sa.UniqueConstraint("id", name=op.f("uq_lane_items_id")),
    )
    op.create_index(
        "ix_lane_items_open_tenant_lane",
        "lane_items",
        ["tenant", "lane", "number"],
        unique=False,
        sqlite_where=sa.text("completed_at IS NULL"),
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), comment="the key that it came with, or was renewed with last"),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True, comment="the one that its key is bound to"),
        sa.Column("projects", sa.LargeBinary(), nullable=False, comment="names as a JSON array"),
        sa.Column("agents", sa.LargeBinary(), nullable=False, comment="ids or names as a JSON array"),
        sa.Column("capabilities", sa.LargeBinary(), nullable=False, comment="names as a JSON array"),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("active_count", sa.Integer(), nullable=False),
        sa.Column("load", sa.LargeBinary(), nullable=True),
        sa.Column("host_status", sa.LargeBinary(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False, comment="the registration, as its members came"),
        sa.Column("heartbeat", sa.LargeBinary(), nullable=True, comment="the last one, as its members came"),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_heartbeat",
            sa.Float(precision=53),
            nullable=False,
            comment="seconds since 1970 on the database's clock",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_workers_registration_id")),
    )
    op.create_index(op.f("ix_workers_tenant_registered_at"), "workers", ["tenant", "registered_at"], unique=False)
    op.create_table(
        "worker_mutations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("params", sa.LargeBinary(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["workers.id"], name=op.f("fk_worker_mutations_worker_id_workers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worker_mutations")),
        sa.UniqueConstraint("id", name=op.f("uq_worker_mutations_id")),
    )
    op.create_index(op.f("ix_worker_mutations_worker_id"), "worker_mutations", ["worker_id"], unique=False)
    op.create_table(
        "work_items",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("branch_key", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("work_type", sa.Text(), nullable=True),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False, comment="who waits is served by this, the smallest first"),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "refused_by", sa.Text(), nullable=True, comment="who gave it back, and is not given it again at once"
        ),
        sa.Column(
            "refused_until", sa.Float(precision=53), nullable=True, comment="seconds since 1970 on the database's clock"
        ),
        sa.Column("report", sa.LargeBinary(), nullable=False, comment="what workers have said, as JSON"),
        sa.ForeignKeyConstraint(
            ["branch_key"], ["branches.key"], name=op.f("fk_work_items_branch_key_branches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_work_items_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_work_items")),
        sa.UniqueConstraint("id", name=op.f("uq_work_items_id")),
        sa.UniqueConstraint("run_id", name=op.f("uq_work_items_run_id")),
    )
    op.create_index(op.f("ix_work_items_branch_key"), "work_items", ["branch_key"], unique=False)
    op.create_index(
        "ix_work_items_dead_tenant",
        "work_items",
        ["tenant"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_work_items_held_worker_id",
        "work_items",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('claimed', 'running', 'finalizing')"),
        postgresql_where=sa.text("state IN ('claimed', 'running', 'finalizing')"),
    )
    op.create_index(
        "ix_work_items_pending_tenant_score",
        "work_items",
        ["tenant", "score", "number"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "file_reservations",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "expires_at", sa.Float(precision=53), nullable=False, comment="seconds since 1970 on the database's clock"
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["work_items.id"], name=op.f("fk_file_reservations_item_id_work_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "repository", "path", name=op.f("pk_file_reservations")),
    )
    op.create_index(op.f("ix_file_reservations_item_id"), "file_reservations", ["item_id"], unique=False)
    op.create_table(
        "inbox_messages",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=True),
        sa.Column("turn_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True, comment="the question that it answers"),
        sa.Column("worker_id", sa.Text(), nullable=True, comment="who it is for, whoever has the item"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "delivered_claim", sa.Integer(), nullable=True, comment="the claim of the item that it was handed to last"
        ),
        sa.Column("acked_claim", sa.Integer(), nullable=True, comment="the claim that has acknowledged it"),
        sa.ForeignKeyConstraint(
            ["item_id"], ["work_items.id"], name=op.f("fk_inbox_messages_item_id_work_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_inbox_messages")),
        sa.UniqueConstraint("id", name=op.f("uq_inbox_messages_id")),
    )
    op.create_index(op.f("ix_inbox_messages_item_id_number"), "inbox_messages", ["item_id", "number"], unique=False)
    op.create_index(
        "ix_inbox_messages_undelivered_worker_id",
        "inbox_messages",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("worker_id IS NOT NULL AND delivered_claim IS NULL"),
        postgresql_where=sa.text("worker_id IS NOT NULL AND delivered_claim IS NULL"),
    )
    op.create_index(
        "ix_inbox_messages_untold_item_id",
        "inbox_messages",
        ["item_id"],
        unique=False,
        sqlite_where=sa.text("type = 'directive' AND delivered_claim IS NULL AND acked_claim IS NULL"),
        postgresql_where=sa.text("type = 'directive' AND delivered_claim IS NULL AND acked_claim IS NULL"),
    )
    with op.batch_alter_table("runs") as table:
        table.add_column(
            sa.Column(
                "work_item",
                sa.Text(),
                comment="the item that it is in the fleet, when its agent's runs are for workers",
            )
        )
    op.create_index(
        "ix_runs_active_on_nodes_number",
        "runs",
        ["number"],
        sqlite_where=sa.text("status = 'active' AND work_item IS NULL"),
        postgresql_where=sa.text("status = 'active' AND work_item IS NULL"),
    )
