"""What a page is tried with, who saw which of it, and what came of that."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "headline",
                "description",
                "cover",
                "button",
                "price",
                "template",
                "page",
                name="part",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "decided_by",
            sa.Enum(
                "conversion",
                "revenue",
                name="decidedby",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "running",
                "stopped",
                name="experimentstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("lift_bp", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("planned_visitors", sa.BigInteger(), nullable=True),
        sa.Column("visitors_before", sa.Integer(), nullable=True),
        sa.Column("secret", sa.String(length=64), nullable=True),
        sa.Column("shipped", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'running' OR secret IS NULL",
            name=op.f("ck_experiments_secret_is_deleted"),
        ),
        sa.CheckConstraint(
            "lift_bp BETWEEN 1 AND 100000", name=op.f("ck_experiments_lift_sensible")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
    )
    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.create_index(
            "uq_experiments_running",
            ["product_id", "part"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.create_table(
        "experiment_variants",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_variants_experiment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "experiment_id", "position", name=op.f("pk_experiment_variants")
        ),
        sa.UniqueConstraint(
            "experiment_id",
            "name",
            name=op.f("uq_experiment_variants_experiment_id_name"),
        ),
    )
    op.create_table(
        "exposures",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("visitor", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_exposures_experiment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposures")),
        sa.UniqueConstraint(
            "experiment_id", "visitor", name=op.f("uq_exposures_experiment_id_visitor")
        ),
    )
    with op.batch_alter_table("exposures", schema=None) as batch_op:
        batch_op.create_index(
            "ix_exposures_experiment_id_variant",
            ["experiment_id", "variant"],
            unique=False,
        )

    op.create_table(
        "order_variants",
        sa.Column("order_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("variant", sa.String(length=20), nullable=False),
        sa.Column("visitor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_order_variants_experiment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "order_id", "experiment_id", name=op.f("pk_order_variants")
        ),
    )
    with op.batch_alter_table("order_variants", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_variants_experiment_id"),
            ["experiment_id"],
            unique=False,
        )

    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("button", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("template", sa.String(length=100), nullable=True))
