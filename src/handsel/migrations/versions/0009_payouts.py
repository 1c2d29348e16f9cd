"""What a seller has at a provider: every change of it, and payouts to their bank."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "balance_readings",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("payouts_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lines_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("provider", "test", name=op.f("pk_balance_readings")),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "in_transit",
                "paid",
                "failed",
                "canceled",
                name="payoutstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.Column("reverses", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("divisible", sa.Boolean(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("lines_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint(
            "provider", "object_id", name=op.f("uq_payouts_provider_object_id")
        ),
    )
    op.create_index("ix_payouts_arrives", "payouts", ["arrives_on"])
    op.create_table(
        "balance_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sale",
                "refund",
                "dispute",
                "fee",
                "returned",
                "other",
                name="linekind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("word", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("payment", sa.String(length=255), nullable=True),
        sa.Column("payout_id", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("paid_currency", sa.String(length=3), nullable=True),
        sa.Column("received_minor", sa.BigInteger(), nullable=True),
        sa.Column("received_currency", sa.String(length=3), nullable=True),
        sa.Column("rate", sa.String(length=32), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(paid_minor IS NULL) = (paid_currency IS NULL)",
            name=op.f("ck_balance_lines_paid_in_a_currency"),
        ),
        sa.CheckConstraint(
            "(received_minor IS NULL) = (received_currency IS NULL)",
            name=op.f("ck_balance_lines_received_in_a_currency"),
        ),
        sa.CheckConstraint(
            "net_minor = amount_minor - fee_minor",
            name=op.f("ck_balance_lines_net_is_the_rest"),
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_balance_lines_payout_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_lines")),
        sa.UniqueConstraint(
            "provider", "object_id", name=op.f("uq_balance_lines_provider_object_id")
        ),
    )
    op.create_index("ix_balance_lines_at", "balance_lines", ["at"])
    op.create_index(
        "ix_balance_lines_payment", "balance_lines", ["provider", "payment"]
    )
    op.create_index("ix_balance_lines_payout_id", "balance_lines", ["payout_id"])
