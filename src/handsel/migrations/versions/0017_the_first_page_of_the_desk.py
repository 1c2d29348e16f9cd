"""What the first page of the desk reads quickly: the tax of days, and kept findings."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_index("ix_invoices_supplied_at", "invoices", ["supplied_at"])
    op.create_table(
        "day_taxes",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "test", "currency", name=op.f("pk_day_taxes")),
    )
    op.execute(_PAST.format(day=_day_of("supplied_at")))
    op.create_table(
        "kept_findings",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "error",
                "warning",
                "info",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_kept_findings")),
    )


def _day_of(column: str) -> str:
    """Write down the day of a moment in UTC, for this database."""
    if op.get_bind().dialect.name == "postgresql":
        return f"(timezone('UTC', {column}))::date"
    return f"date({column})"


_PAST = """
    INSERT INTO day_taxes (day, test, currency, papers, tax_minor)
    SELECT {day}, test, currency, count(*),
        sum(CASE WHEN kind = 'credit_note' THEN -tax_minor ELSE tax_minor END)
    FROM invoices GROUP BY 1, 2, 3
"""
"""Of the past; the days that are not counted yet are written anew when they are."""
