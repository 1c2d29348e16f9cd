"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# For people with SQL: names and columns stay, whatever the tables become.
VIEWS = (
    """
    CREATE VIEW v_orders AS
    SELECT 'H-' || (o.id + 1000) AS number, o.email, p.slug AS product,
           r.version AS release, o.price_minor AS amount_minor, o.currency, o.status,
           o.provider, o.session_id, o.test, o.created_at, o.paid_at, o.refunded_minor,
           coalesce(e.access, o.test AND NOT o.test) AS access
    FROM orders o
    JOIN products p ON p.id = o.product_id
    JOIN releases r ON r.id = o.release_id
    LEFT JOIN entitlements e ON e.order_id = o.id AND e.product_id = o.product_id
    """,
    """
    CREATE VIEW v_ledger AS
    SELECT 'H-' || (l.order_id + 1000) AS number, l.provider, l.kind, l.object_id,
           l.amount_minor, l.currency, l.at, l.recorded_at
    FROM ledger l
    """,
    """
    CREATE VIEW v_downloads AS
    SELECT 'H-' || (e.order_id + 1000) AS number, p.slug AS product, f.name AS file,
           r.version, a.taken, a.lim AS allowed, a.given_back
    FROM allowances a
    JOIN entitlements e ON e.id = a.entitlement_id
    JOIN release_files f ON f.id = a.file_id
    JOIN releases r ON r.id = f.release_id
    JOIN products p ON p.id = r.product_id
    """,
    """
    CREATE VIEW v_mail AS
    SELECT m.id, m.topic, m.recipient, 'H-' || (m.order_id + 1000) AS number, m.state,
           m.tries, m.next_at, m.created_at, m.sent_at, m.last_error
    FROM outbox m
    """,
)


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("email_key", name=op.f("uq_customers_email_key")),
    )
    op.create_table(
        "duties",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duties")),
    )
    op.create_table(
        "inbox",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_inbox")),
    )
    op.create_index(
        op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("cover", sa.String(length=64), nullable=True),
        sa.Column("cover_type", sa.String(length=40), nullable=True),
        sa.Column("cover_width", sa.Integer(), nullable=True),
        sa.Column("cover_height", sa.Integer(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                name="productstatus",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("download_limit", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "download_limit BETWEEN 1 AND 1000", name=op.f("ck_products_limit_sensible")
        ),
        sa.CheckConstraint(
            "price_minor >= 0", name=op.f("ck_products_price_not_negative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("slug", name=op.f("uq_products_slug")),
    )
    op.create_table(
        "rate_counters",
        sa.Column("bucket", sa.String(length=120), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "window", name=op.f("pk_rate_counters")),
    )
    op.create_table(
        "find_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_find_links_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_find_links")),
    )
    op.create_index(
        op.f("ix_find_links_customer_id"), "find_links", ["customer_id"], unique=False
    )
    op.create_index(
        op.f("ix_find_links_expires_at"), "find_links", ["expires_at"], unique=False
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_releases_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint(
            "product_id", "version", name=op.f("uq_releases_product_id_version")
        ),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("session_id", sa.String(length=255), nullable=False),
        sa.Column("checkout_key", sa.String(length=64), nullable=True),
        sa.Column("payment_url", sa.Text(), nullable=True),
        sa.Column(
            "session_state",
            sa.Enum(
                "open",
                "processing",
                "complete",
                "failed",
                "expired",
                name="paymentstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("download_limit", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("card_last4", sa.String(length=4), nullable=True),
        sa.Column("statement_text", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "started",
                "processing",
                "paid",
                "partly_refunded",
                "refunded",
                "disputed",
                "expired",
                "needs_review",
                name="orderstatus",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_minor", sa.Integer(), nullable=False),
        sa.Column("review_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "download_limit BETWEEN 1 AND 1000", name=op.f("ck_orders_limit_sensible")
        ),
        sa.CheckConstraint(
            "price_minor >= 0", name=op.f("ck_orders_price_not_negative")
        ),
        sa.CheckConstraint(
            "refunded_minor >= 0", name=op.f("ck_orders_refunded_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_orders_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_orders_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("checkout_key", name=op.f("uq_orders_checkout_key")),
        sa.UniqueConstraint(
            "provider", "session_id", name=op.f("uq_orders_provider_session_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_orders_public_id")),
    )
    op.create_index(
        op.f("ix_orders_created_at"), "orders", ["created_at"], unique=False
    )
    op.create_index(
        op.f("ix_orders_customer_id"), "orders", ["customer_id"], unique=False
    )
    op.create_index(op.f("ix_orders_email"), "orders", ["email"], unique=False)
    op.create_index(
        "ix_orders_open", "orders", ["session_state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_orders_paid_at"), "orders", ["paid_at"], unique=False)
    op.create_index(
        op.f("ix_orders_product_id"), "orders", ["product_id"], unique=False
    )
    op.create_index(op.f("ix_orders_status"), "orders", ["status"], unique=False)
    op.create_table(
        "release_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "length(sha256) = 64", name=op.f("ck_release_files_sha256_whole")
        ),
        sa.CheckConstraint(
            "size >= 0", name=op.f("ck_release_files_size_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_release_files_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_files")),
        sa.UniqueConstraint(
            "release_id", "name", name=op.f("uq_release_files_release_id_name")
        ),
    )
    op.create_index(
        op.f("ix_release_files_release_id"),
        "release_files",
        ["release_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_release_files_sha256"), "release_files", ["sha256"], unique=False
    )
    op.create_table(
        "entitlements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("access", sa.Boolean(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("access_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_entitlements_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_entitlements_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlements")),
        sa.UniqueConstraint(
            "order_id", "product_id", name=op.f("uq_entitlements_order_id_product_id")
        ),
    )
    op.create_index(
        op.f("ix_entitlements_product_id"), "entitlements", ["product_id"], unique=False
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "capture",
                "refund",
                "void",
                "dispute_open",
                "dispute_won",
                "dispute_lost",
                "dispute_settled",
                "manual_grant",
                "manual_revoke",
                name="factkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor >= 0", name=op.f("ck_ledger_amount_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_ledger_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint(
            "provider",
            "kind",
            "object_id",
            name=op.f("uq_ledger_provider_kind_object_id"),
        ),
    )
    op.create_index(op.f("ix_ledger_order_id"), "ledger", ["order_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("dedupe", sa.String(length=120), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "dead",
                name="outboxstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_outbox_tries_not_negative")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_outbox_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_outbox_dedupe")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_outbox_order_id"), "outbox", ["order_id"], unique=False)
    op.create_table(
        "allowances",
        sa.Column("entitlement_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("lim", sa.Integer(), nullable=False),
        sa.Column("given_back", sa.Integer(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "bytes_out >= 0", name=op.f("ck_allowances_bytes_not_negative")
        ),
        sa.CheckConstraint(
            "given_back BETWEEN 0 AND 10", name=op.f("ck_allowances_given_back_bounded")
        ),
        sa.CheckConstraint(
            "taken BETWEEN 0 AND lim", name=op.f("ck_allowances_taken_within_limit")
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"],
            ["entitlements.id"],
            name=op.f("fk_allowances_entitlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["release_files.id"], name=op.f("fk_allowances_file_id")
        ),
        sa.PrimaryKeyConstraint(
            "entitlement_id", "file_id", name=op.f("pk_allowances")
        ),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entitlement_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reserved",
                "consumed",
                "closed",
                "returned",
                name="grantstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.CheckConstraint("bytes_out >= 0", name=op.f("ck_grants_bytes_not_negative")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"],
            ["entitlements.id"],
            name=op.f("fk_grants_entitlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["release_files.id"], name=op.f("fk_grants_file_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(
        "ix_grants_state_expires_at", "grants", ["state", "expires_at"], unique=False
    )
    op.create_index(
        "uq_grants_open",
        "grants",
        ["entitlement_id", "file_id", "client_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('reserved', 'consumed')"),
        postgresql_where=sa.text("state IN ('reserved', 'consumed')"),
    )
    for view in VIEWS:
        op.execute(view)
