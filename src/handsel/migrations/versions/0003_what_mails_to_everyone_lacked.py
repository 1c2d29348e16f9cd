"""What mails to everyone lacked: since when one runs, what went lately, v_mail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Names and columns stay, and new ones come last. A mail that was never tried is due when
# its campaign is.
V_MAIL = """
    v_mail AS
    SELECT m.id, m.topic, m.recipient, 'H-' || (m.order_id + 1000) AS number, m.state,
           m.tries, m.next_at, m.created_at, m.sent_at, m.last_error,
           CAST(NULL AS INTEGER) AS campaign
    FROM outbox m
    UNION ALL
    SELECT r.id,
           CAST(CASE WHEN c.release_id IS NULL THEN 'mail.broadcast'
                     ELSE 'mail.release' END AS VARCHAR(40)),
           o.email, 'H-' || (r.order_id + 1000), r.state, r.tries,
           CASE WHEN r.tries = 0 THEN c.next_at ELSE r.next_at END,
           c.started_at, r.sent_at, coalesce(r.last_error, r.reason), c.id
    FROM campaign_recipients r
    JOIN campaigns c ON c.id = r.campaign_id
    JOIN orders o ON o.id = r.order_id
    """


def upgrade() -> None:
    """Take this step."""
    op.create_index(
        "ix_campaign_recipients_sent",
        "campaign_recipients",
        ["campaign_id", "sent_at"],
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    with op.batch_alter_table("campaigns") as batch_op:
        batch_op.add_column(
            sa.Column("running_since", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.drop_constraint(op.f("ck_campaigns_campaignkind"), type_="check")
        batch_op.drop_column("kind")  # release_id says it
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE OR REPLACE VIEW" + V_MAIL)  # keeps who may look at it
    else:
        op.execute("DROP VIEW v_mail")
        op.execute("CREATE VIEW" + V_MAIL)
