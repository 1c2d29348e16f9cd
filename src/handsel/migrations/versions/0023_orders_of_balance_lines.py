"""The order beside each line of a balance, so that a report of years looks up little."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import views_aside

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KNOWN = """
    UPDATE balance_lines SET order_id = (
        SELECT order_id FROM ledger
        WHERE ledger.provider = balance_lines.provider AND ledger.kind = 'capture'
        AND ledger.object_id = balance_lines.payment
    ) WHERE payment IS NOT NULL
"""


def upgrade() -> None:
    """Take this step."""
    with views_aside(), op.batch_alter_table("balance_lines") as batch_op:
        batch_op.add_column(sa.Column("order_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_balance_lines_order_id"), "orders", ["order_id"], ["id"]
        )
    op.execute(KNOWN)
