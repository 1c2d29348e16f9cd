"""Refunds the seller has asked for, and those that leave the files open."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = (
    *("capture", "refund", "void", "dispute_open", "dispute_won", "dispute_lost"),
    *("dispute_settled", "manual_grant", "manual_revoke"),
)
V_LEDGER = """
    CREATE VIEW v_ledger AS
    SELECT 'H-' || (l.order_id + 1000) AS number, l.provider, l.kind, l.object_id,
           l.amount_minor, l.currency, l.at, l.recorded_at
    FROM ledger l
    """


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "requested",
                "duplicate",
                "fraudulent",
                name="refundreason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("keep_access", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "made",
                "refused",
                "unknown",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount_positive")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_refunds_tries_not_negative")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("key", name=op.f("uq_refunds_key")),
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"])
    op.create_index(
        "uq_refunds_asked",
        "refunds",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )

    _add_kept()


def _add_kept() -> None:
    """Let the ledger take one more word."""
    words = sa.column("kind").in_((*KINDS, "kept"))
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_ledger_factkind"), "ledger", type_="check")
        op.create_check_constraint(op.f("ck_ledger_factkind"), "ledger", words)
        return
    # SQLite makes the table anew for that, and no view may look at it meanwhile.
    op.execute("DROP VIEW v_ledger")
    with op.batch_alter_table("ledger") as batch_op:
        batch_op.alter_column(
            "kind",
            existing_type=_words(KINDS),
            type_=_words((*KINDS, "kept")),
            existing_nullable=False,
        )
    op.execute(V_LEDGER)


def _words(kinds: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(
        *kinds,
        name="factkind",
        native_enum=False,
        create_constraint=True,
        length=24,
    )
