"""Logs that have lost their beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("branches") as table:
        table.add_column(
            sa.Column(
                "trimmed",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="the number of the last event that its log has lost",
            )
        )
