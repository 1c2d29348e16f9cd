"""Prices lowered by a sale or a coupon, and prices that the buyer names."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import replace_view, views_aside

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


V_ORDERS = """
    SELECT 'H-' || (o.id + 1000) AS number, o.email, p.slug AS product,
           r.version AS release, o.price_minor AS amount_minor, o.currency, o.status,
           o.provider, o.session_id, o.test, o.created_at, o.paid_at, o.refunded_minor,
           coalesce(e.access, o.test AND NOT o.test) AS access,
           o.discount_minor, c.code AS coupon
    FROM orders o
    JOIN products p ON p.id = o.product_id
    JOIN releases r ON r.id = o.release_id
    LEFT JOIN entitlements e ON e.order_id = o.id AND e.product_id = o.product_id
    LEFT JOIN coupons c ON c.id = o.coupon_id
    """


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "coupons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("least_minor", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("most_each", sa.Integer(), nullable=True),
        sa.Column("batch", sa.String(length=60), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(basis_points IS NULL) != (amount_minor IS NULL)",
            name=op.f("ck_coupons_one_way"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_coupons_amount_positive")),
        sa.CheckConstraint(
            "basis_points BETWEEN 1 AND 10000", name=op.f("ck_coupons_a_part")
        ),
        sa.CheckConstraint(
            "currency IS NOT NULL OR (amount_minor IS NULL AND least_minor IS NULL)",
            name=op.f("ck_coupons_amounts_have_a_currency"),
        ),
        sa.CheckConstraint(
            "ends_at > starts_at", name=op.f("ck_coupons_ends_after_it_starts")
        ),
        sa.CheckConstraint("least_minor > 0", name=op.f("ck_coupons_least_positive")),
        sa.CheckConstraint("most_each > 0", name=op.f("ck_coupons_each_positive")),
        sa.CheckConstraint("most_uses > 0", name=op.f("ck_coupons_most_positive")),
        sa.CheckConstraint("uses >= 0", name=op.f("ck_coupons_uses_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name=op.f("uq_coupons_code")),
    )
    op.create_index("ix_coupons_batch", "coupons", ["batch"])

    op.create_table(
        "coupon_products",
        sa.Column("coupon_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_coupon_products_coupon_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_coupon_products_product_id")
        ),
        sa.PrimaryKeyConstraint(
            "coupon_id", "product_id", name=op.f("pk_coupon_products")
        ),
    )
    op.create_table(
        "coupon_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coupon_id", sa.Integer(), nullable=False),
        sa.Column("purchase", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_coupon_uses_coupon_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_uses")),
        sa.UniqueConstraint("purchase", name=op.f("uq_coupon_uses_purchase")),
    )
    op.create_index("ix_coupon_uses_buyer", "coupon_uses", ["coupon_id", "email_key"])
    op.create_index("ix_coupon_uses_holder", "coupon_uses", ["coupon_id", "holder"])
    op.create_index("ix_coupon_uses_coupon_id", "coupon_uses", ["coupon_id"])
    op.create_index("ix_coupon_uses_taken_at", "coupon_uses", ["taken_at"])

    with views_aside():
        _orders()
        _products()
    replace_view("v_orders", V_ORDERS)


def _orders() -> None:
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(
            sa.Column(
                "discount_minor", sa.Integer(), nullable=False, server_default="0"
            )
        )
        batch_op.add_column(sa.Column("coupon_id", sa.Integer(), nullable=True))
        batch_op.create_index("ix_orders_coupon_id", ["coupon_id"])
        batch_op.create_foreign_key(
            op.f("fk_orders_coupon_id"), "coupons", ["coupon_id"], ["id"]
        )
        batch_op.create_check_constraint(
            op.f("ck_orders_discount_not_negative"), sa.text("discount_minor >= 0")
        )
    with op.batch_alter_table("orders") as batch_op:
        batch_op.alter_column("discount_minor", server_default=None)


def _products() -> None:
    with op.batch_alter_table("products") as batch_op:
        batch_op.add_column(sa.Column("sale_minor", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("sale_ends_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column(
                "open_price", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
        batch_op.add_column(
            sa.Column("suggestions", sa.JSON(), nullable=False, server_default="[]")
        )
        for name, rule in {
            "sale_below_price": "sale_minor >= 0 AND sale_minor < price_minor",
            "end_of_a_sale": "sale_minor IS NOT NULL OR sale_ends_at IS NULL",
            "no_sale_of_open_price": "sale_minor IS NULL OR NOT open_price",
        }.items():
            batch_op.create_check_constraint(op.f(f"ck_products_{name}"), sa.text(rule))
    with op.batch_alter_table("products") as batch_op:
        batch_op.alter_column("open_price", server_default=None)
        batch_op.alter_column("suggestions", server_default=None)
