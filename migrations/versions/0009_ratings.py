"""How clients rate runs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as table:
        table.add_column(
            sa.Column("rating", sa.Float(precision=53), comment="from 0 to 1, as a client has rated the run")
        )
