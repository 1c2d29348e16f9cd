"""What keeps people off who try stolen cards: payments begun, declined, and the brake."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    _starts()
    _declines()
    op.create_table(
        "brakes",
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until >= since", name=op.f("ck_brakes_until_after_since")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_brakes_product_id")
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_brakes")),
    )
    op.create_table(
        "mail_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "starts >= 0", name=op.f("ck_mail_checks_starts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_mail_checks_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_checks")),
    )
    op.create_index("ix_mail_checks_created_at", "mail_checks", ["created_at"])


def _starts() -> None:
    op.create_table(
        "starts",
        sa.Column("purchase", sa.String(length=64), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=True),
        sa.Column("browser", sa.String(length=64), nullable=True),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("purchase", name=op.f("pk_starts")),
    )
    op.create_index("ix_starts_at", "starts", ["at"])
    op.create_index("ix_starts_browser_at", "starts", ["browser", "at"])
    op.create_index("ix_starts_visitor_at", "starts", ["visitor", "at"])


def _declines() -> None:
    op.create_table(
        "declines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_declines_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_declines_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declines")),
        sa.UniqueConstraint(
            "provider", "object_id", name=op.f("uq_declines_provider_object_id")
        ),
    )
    op.create_index("ix_declines_at", "declines", ["at"])
    op.create_index("ix_declines_order_id", "declines", ["order_id"])
    op.create_index("ix_declines_product_id_at", "declines", ["product_id", "at"])
