"""Definitions of agents, and which version of one a run works with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("runtime", sa.Text(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_agents")),
    )
    op.create_index(op.f("ix_agents_tenant_created_at_id"), "agents", ["tenant", "created_at", "id"])
    op.create_table(
        "agent_versions",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", sa.LargeBinary(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), comment="when another version, or none, took its place"),
        sa.PrimaryKeyConstraint("tenant", "agent_id", "version", name=op.f("pk_agent_versions")),
    )
    op.create_index(
        "ix_agent_versions_replaced_tenant_replaced_at",
        "agent_versions",
        ["tenant", "replaced_at"],
        sqlite_where=sa.text("replaced_at IS NOT NULL"),
        postgresql_where=sa.text("replaced_at IS NOT NULL"),
    )
    with op.batch_alter_table("runs") as table:
        table.add_column(
            sa.Column("agent_version", sa.Integer(), comment="of the agent's definition, when it has a stored one")
        )
    with op.batch_alter_table("steps") as table:
        table.add_column(sa.Column("agent_version", sa.Integer(), comment="of a nested run's agent, as that of a run"))
