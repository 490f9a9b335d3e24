"""What has ended is stored smaller: what is to be folded of a branch, how far it is, and how a row is packed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("events") as table:
        table.add_column(sa.Column("packing", sa.Text(), comment="how the frames are packed; NULL when they are not"))
    with op.batch_alter_table("branches") as table:
        table.add_column(sa.Column("folded_to", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(
            sa.Column(
                "fold_due",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="events up to this one are to be folded; 0 when none are",
            )
        )
    # Whatever is there has not been folded yet.
    op.execute("UPDATE branches SET fold_due = next_seq - 1")
    op.create_index(
        "ix_branches_fold_due_key",
        "branches",
        ["key"],
        sqlite_where=sa.text("fold_due > 0"),
        postgresql_where=sa.text("fold_due > 0"),
    )
