"""The tree: branches that were forked from others."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("branches") as table:
        table.add_column(sa.Column("forked_from", sa.Text()))
        table.add_column(sa.Column("forked_at_message_id", sa.Text()))
        table.add_column(sa.Column("forked_at_message_index", sa.Integer()))
        table.add_column(
            sa.Column("ancestors", sa.LargeBinary(), comment="ids as a JSON array; the last one is forked_from")
        )
