"""What routers have learnt."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "routing_posteriors",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("work_type", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("alpha", sa.Float(precision=53), nullable=False),
        sa.Column("beta", sa.Float(precision=53), nullable=False),
        sa.Column("observations", sa.BigInteger(), nullable=False),
        sa.Column("average_reward", sa.Float(precision=53), nullable=False),
        sa.Column(
            "average_cost",
            sa.Float(precision=53),
            nullable=False,
            comment="in dollars, over those observations that said one",
        ),
        sa.Column("costs", sa.BigInteger(), nullable=False, comment="how many those are"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "work_type", "provider", name=op.f("pk_routing_posteriors")),
    )
    op.create_table(
        "routing_observations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("observation_key", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("work_type", sa.Text(), nullable=False),
        sa.Column("reward", sa.Float(precision=53), nullable=False),
        sa.Column("cost", sa.Float(precision=53), nullable=True, comment="in dollars"),
        sa.Column("outcome", sa.LargeBinary(), nullable=False, comment="what else was said, as JSON"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_routing_observations")),
        sa.UniqueConstraint(
            "tenant",
            "session_id",
            "observation_key",
            "provider",
            "work_type",
            name=op.f("uq_routing_observations_once"),
        ),
    )
    op.create_index(
        op.f("ix_routing_observations_tenant_observed_at_number"),
        "routing_observations",
        ["tenant", "observed_at", "number"],
        unique=False,
    )
