"""Credentials, what changes among them, and who did what with them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credentials",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False, comment="the three names that follow, as a JSON array"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the value, which only this server's keys open"),
        sa.Column("key_id", sa.Text(), nullable=False, comment="the key that it is sealed with"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "session_id"],
            ["sessions.tenant", "sessions.id"],
            name=op.f("fk_credentials_tenant_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "layer", "name", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_tenant_session_id"), "credentials", ["tenant", "session_id"], unique=False)
    op.create_table(
        "credential_heads",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False, comment="the number of the tenant's last change"),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_credential_heads")),
    )
    op.create_table(
        "credential_changes",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("names", sa.LargeBinary(), nullable=False, comment="names as a JSON array"),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_credential_changes")),
    )
    op.create_table(
        "credential_audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "by", sa.Text(), nullable=False, comment="the id of the key that was shown, or how the caller is known"
        ),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("names", sa.LargeBinary(), nullable=False, comment="names as a JSON array"),
        sa.Column("asked", sa.Text(), nullable=True, comment="the tenant that was asked for, when it is another one"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_credential_audit")),
        sa.UniqueConstraint("id", name=op.f("uq_credential_audit_id")),
    )
    op.create_index(op.f("ix_credential_audit_tenant_number"), "credential_audit", ["tenant", "number"], unique=False)
    op.create_index(op.f("ix_credential_audit_at"), "credential_audit", ["at"], unique=False)
