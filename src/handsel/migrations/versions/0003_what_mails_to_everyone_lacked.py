"""What mails to everyone lacked: since when one runs, and which mails went lately."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_index(
        "ix_campaign_recipients_sent",
        "campaign_recipients",
        ["campaign_id", "sent_at"],
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.add_column(
        "campaigns",
        sa.Column("running_since", sa.DateTime(timezone=True), nullable=True),
    )
