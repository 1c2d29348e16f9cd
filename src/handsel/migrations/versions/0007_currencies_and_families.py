"""Prices in several currencies, and products that are editions of one thing."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import views_aside

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "product_prices",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("sale_minor", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "price_minor > 0", name=op.f("ck_product_prices_price_positive")
        ),
        sa.CheckConstraint(
            "sale_minor >= 0 AND sale_minor < price_minor",
            name=op.f("ck_product_prices_sale_below_price"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_prices_product_id")
        ),
        sa.PrimaryKeyConstraint(
            "product_id", "currency", name=op.f("pk_product_prices")
        ),
    )
    with views_aside(), op.batch_alter_table("products") as batch_op:
        batch_op.add_column(sa.Column("family", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("edition", sa.String(length=60), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_products_edition_of_a_family"),
            sa.text("(family IS NULL) = (edition IS NULL)"),
        )
        batch_op.create_unique_constraint(
            op.f("uq_products_family_edition"), ["family", "edition"]
        )
