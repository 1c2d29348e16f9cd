"""Mails to everyone at the desk: drafts, the last trouble, who has opened the link."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "update_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Boolean(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("writer", sa.String(length=32), nullable=False),
        sa.Column("written_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "revision >= 0", name=op.f("ck_update_drafts_revision_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_update_drafts_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_update_drafts_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_drafts")),
    )
    for column in ("campaign_id", "product_id"):
        op.create_index(f"ix_update_drafts_{column}", "update_drafts", [column])
    op.add_column("campaigns", sa.Column("last_error", sa.Text(), nullable=True))
    opened = sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("campaign_recipients", opened)
    op.create_index(
        "ix_campaign_recipients_opened",
        "campaign_recipients",
        ["campaign_id", "opened_at"],
        sqlite_where=sa.text("opened_at IS NOT NULL"),
        postgresql_where=sa.text("opened_at IS NOT NULL"),
    )
    op.create_index("ix_allowances_file_id", "allowances", ["file_id"])
