"""Views of payouts, and of what they are made up of, for people with SQL."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VIEWS = (
    """
    CREATE VIEW v_payouts AS
    SELECT object_id AS id, provider, test, state, failure, amount_minor, currency,
           created_at, arrives_on, lines_read_at
    FROM payouts
    """,
    """
    CREATE VIEW v_balance AS
    SELECT b.object_id AS id, b.provider, b.test, b.kind, b.word,
           'H-' || (l.order_id + 1000) AS number, p.object_id AS payout,
           b.amount_minor, b.fee_minor, b.net_minor, b.currency, b.paid_minor,
           b.paid_currency, b.rate, b.received_minor, b.received_currency, b.at
    FROM balance_lines b
    LEFT JOIN ledger l ON l.provider = b.provider AND l.kind = 'capture'
                      AND l.object_id = b.payment
    LEFT JOIN payouts p ON p.id = b.payout_id
    """,
)


def upgrade() -> None:
    """Take this step."""
    for view in VIEWS:
        op.execute(view)
