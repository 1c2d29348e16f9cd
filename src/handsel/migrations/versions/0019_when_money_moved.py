"""The money of a time is found by its time: reports of payouts ask for it."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_index("ix_ledger_at", "ledger", ["at"])
