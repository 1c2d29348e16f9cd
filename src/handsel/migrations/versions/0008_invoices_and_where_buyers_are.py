"""Invoices and credit notes, and what says where buyers are."""

import sqlalchemy as sa
from alembic import op

from handsel.migrations.views import views_aside

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

V_INVOICES = """
    SELECT i.prefix || i.sequence AS number, i.kind, 'H-' || (i.order_id + 1000) AS "order",
           i.issued_at, i.supplied_at, i.title, i.currency, i.gross_minor, i.tax_minor,
           i.basis_points, i.tax_word, i.tax_class, i.treatment, i.country, i.confirmed,
           i.test, i.vat_number
    FROM invoices i
    """


def upgrade() -> None:
    """Take this step."""
    _papers()
    with views_aside():
        _places()
    op.execute(f"CREATE VIEW v_invoices AS {V_INVOICES}")


def _papers() -> None:
    op.create_table(
        "series",
        sa.Column("prefix", sa.String(length=36), nullable=False),
        sa.Column("base", sa.String(length=28), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("first > 0", name=op.f("ck_series_first_positive")),
        sa.CheckConstraint("last >= first - 1", name=op.f("ck_series_last_from_first")),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_series")),
    )
    op.create_table(
        "vat_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("consultation", sa.String(length=60), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_checks")),
    )
    op.create_index(
        "uq_series_open",
        "series",
        ["base"],
        unique=True,
        sqlite_where=sa.text("NOT closed"),
        postgresql_where=sa.text("NOT closed"),
    )
    op.create_index("ix_vat_checks_number", "vat_checks", ["number"])

    op.create_table(
        "invoice_parties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.String(length=40), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_invoice_parties_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_parties")),
    )
    op.create_index("ix_invoice_parties_order_id", "invoice_parties", ["order_id"])

    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "credit_note",
                name="paperkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("cause", sa.String(length=270), nullable=False),
        sa.Column("prefix", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supplied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", sa.Integer(), nullable=False),
        sa.Column("tax_minor", sa.Integer(), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=True),
        sa.Column("tax_word", sa.String(length=20), nullable=False),
        sa.Column(
            "tax_class",
            sa.Enum(
                "standard",
                "ebook",
                "audiobook",
                name="taxclass",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "treatment",
            sa.Enum(
                "none",
                "flat",
                "domestic",
                "destination",
                "reverse_charge",
                "outside",
                "provider",
                name="taxtreatment",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("vat_number", sa.String(length=20), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "basis_points BETWEEN 0 AND 10000", name=op.f("ck_invoices_a_rate")
        ),
        sa.CheckConstraint("gross_minor > 0", name=op.f("ck_invoices_gross_positive")),
        sa.CheckConstraint(
            "tax_minor BETWEEN 0 AND gross_minor",
            name=op.f("ck_invoices_tax_within_gross"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_invoices_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint(
            "order_id", "cause", name=op.f("uq_invoices_order_id_cause")
        ),
        sa.UniqueConstraint(
            "prefix", "sequence", name=op.f("uq_invoices_prefix_sequence")
        ),
    )
    op.create_index("ix_invoices_issued_at", "invoices", ["issued_at"])
    op.create_index("ix_invoices_order_id", "invoices", ["order_id"])


def _places() -> None:
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("card_country", sa.String(2), nullable=True))
        batch_op.add_column(sa.Column("network_country", sa.String(2), nullable=True))
        batch_op.add_column(
            sa.Column("relief_minor", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("tax_minor", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("vat_check_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_orders_vat_check_id"), "vat_checks", ["vat_check_id"], ["id"]
        )
    with op.batch_alter_table("orders") as batch_op:
        batch_op.alter_column("relief_minor", server_default=None)
    kinds = sa.Enum(
        "standard",
        "ebook",
        "audiobook",
        name="taxclass",
        native_enum=False,
        create_constraint=True,
        length=24,
    )
    with op.batch_alter_table("products") as batch_op:
        batch_op.add_column(
            sa.Column("tax_class", kinds, nullable=False, server_default="standard")
        )
    with op.batch_alter_table("products") as batch_op:
        batch_op.alter_column("tax_class", server_default=None)
