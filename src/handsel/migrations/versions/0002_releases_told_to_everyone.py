"""Releases told to everyone: campaigns, who gets them, who wants none, old files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


V_DOWNLOADS = """
    CREATE VIEW v_downloads AS
    SELECT 'H-' || (e.order_id + 1000) AS number, p.slug AS product, f.name AS file,
           r.version, a.taken, a.lim AS allowed, a.given_back
    FROM allowances a
    JOIN entitlements e ON e.id = a.entitlement_id
    JOIN release_files f ON f.id = a.file_id
    JOIN releases r ON r.id = f.release_id
    JOIN products p ON p.id = r.product_id
    """


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "suppressions",
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "unsubscribed",
                "bounced",
                "complained",
                name="stopreason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", "reason", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "release",
                "broadcast",
                name="campaignkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "scheduled",
                "running",
                "paused",
                "finished",
                "cancelled",
                name="campaignstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("gap_us", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rest_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "errors >= 0", name=op.f("ck_campaigns_errors_not_negative")
        ),
        sa.CheckConstraint("gap_us >= 0", name=op.f("ck_campaigns_gap_not_negative")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_campaigns_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_campaigns_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("release_id", name=op.f("uq_campaigns_release_id")),
    )
    op.create_index(op.f("ix_campaigns_product_id"), "campaigns", ["product_id"])
    op.create_index(op.f("ix_campaigns_state"), "campaigns", ["state"])

    op.create_table(
        "campaign_recipients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "failed",
                "skipped",
                name="recipientstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "tries >= 0", name=op.f("ck_campaign_recipients_tries_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.id"],
            name=op.f("fk_campaign_recipients_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_campaign_recipients_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_campaign_recipients_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_recipients")),
        sa.UniqueConstraint(
            "campaign_id",
            "customer_id",
            name=op.f("uq_campaign_recipients_campaign_id_customer_id"),
        ),
    )
    op.create_index(
        "ix_campaign_recipients_due",
        "campaign_recipients",
        ["campaign_id", "state", "next_at"],
    )

    op.add_column("orders", sa.Column("country", sa.String(length=2), nullable=True))
    # SQLite makes the table anew for this, and no view may look at it meanwhile.
    op.execute("DROP VIEW v_downloads")
    with op.batch_alter_table("release_files") as batch_op:
        batch_op.add_column(sa.Column("replaced_in", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_release_files_replaced_in"), "releases", ["replaced_in"], ["id"]
        )
        batch_op.create_check_constraint(
            op.f("ck_release_files_replaced_by_a_later_one"), "replaced_in > release_id"
        )
    op.execute(V_DOWNLOADS)
