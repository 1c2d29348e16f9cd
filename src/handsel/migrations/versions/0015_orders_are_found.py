"""What orders are found by: the address as it is typed, its domain, card, country, source."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import views_aside

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ADDRESS = sa.String(254).with_variant(sa.String(254, collation="C"), "postgresql")
DOMAIN = "substr(lower(email), length(rtrim(email, replace(email, '@', ''))) + 1)"


def upgrade() -> None:
    """Take this step."""
    kept = {
        "email_key": sa.Computed("lower(email)", persisted=True),
        "email_domain": sa.Computed(DOMAIN, persisted=True),
    }
    with views_aside(), op.batch_alter_table("orders") as batch_op:
        for name, sums in kept.items():
            batch_op.add_column(sa.Column(name, ADDRESS, sums))
    for name in ("card_last4", "country", "email_domain", "email_key"):
        op.create_index(f"ix_orders_{name}", "orders", [name])
    op.create_index(
        "ix_orders_test",
        "orders",
        ["id"],
        sqlite_where=sa.text("test = 1"),
        postgresql_where=sa.text("test"),
    )
    op.create_index("ix_order_visits_source", "order_visits", ["source_id", "order_id"])
    op.create_index("ix_sources_name", "sources", ["name"])
