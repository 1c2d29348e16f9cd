"""Bundles: a purchase may open several products, each in an edition of its own."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import views_aside

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BOUGHT = """
    UPDATE entitlements SET release_id =
    (SELECT o.release_id FROM orders o WHERE o.id = entitlements.order_id)
    """


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "bundle_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bundle_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "bundle_id != product_id", name=op.f("ck_bundle_items_not_in_itself")
        ),
        sa.ForeignKeyConstraint(
            ["bundle_id"], ["products.id"], name=op.f("fk_bundle_items_bundle_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_bundle_items_product_id")
        ),
        sa.CheckConstraint(
            "removed_at >= added_at", name=op.f("ck_bundle_items_removed_after_added")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle_items")),
    )
    op.create_index("ix_bundle_items_bundle_id", "bundle_items", ["bundle_id"])
    op.create_index("ix_bundle_items_product_id", "bundle_items", ["product_id"])
    op.create_index(
        "uq_bundle_items_inside",
        "bundle_items",
        ["bundle_id", "product_id"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    with views_aside():
        with op.batch_alter_table("entitlements") as batch_op:
            batch_op.add_column(sa.Column("release_id", sa.Integer(), nullable=True))
        op.execute(BOUGHT)
        with op.batch_alter_table("entitlements") as batch_op:
            batch_op.alter_column(
                "release_id", existing_type=sa.Integer(), nullable=False
            )
            batch_op.create_foreign_key(
                op.f("fk_entitlements_release_id"), "releases", ["release_id"], ["id"]
            )
