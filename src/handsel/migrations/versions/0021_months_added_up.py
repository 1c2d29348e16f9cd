"""The counts of months, so that a report of years reads little."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "event_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_event_months")),
    )
    op.create_table(
        "month_counts",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column(
            "counted_by",
            sa.Enum(
                "all",
                "source",
                "medium",
                "campaign",
                "country",
                "device",
                name="countedby",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "viewed",
                "clicked",
                "started",
                "paid",
                "opened",
                "downloaded",
                "read",
                "refunded",
                name="eventkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month",
            "counted_by",
            "product_id",
            "value",
            "kind",
            "test",
            "currency",
            name=op.f("pk_month_counts"),
        ),
    )
