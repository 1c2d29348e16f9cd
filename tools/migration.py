"""Write the next migration: what the models have and the migrations do not.

Usage: python tools/migration.py "0002_what_it_does". Read the result before you keep it.
"""

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext

from handsel.models import Base
from handsel.models.database import Database
from handsel.ops import schema

VERSIONS = Path(__file__).parent.parent / "src/handsel/migrations/versions"
PAGE = '''"""{words}."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take this step."""
{steps}
'''


def main(name: str) -> None:
    """Compare a database made by the migrations with the models; write the rest."""
    number, _, words = name.partition("_")
    steps = list(VERSIONS.glob("[0-9]*.py"))
    database = Database("sqlite:///new.db", Path(tempfile.mkdtemp()))
    if steps:
        schema.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"target_metadata": Base.metadata, "render_as_batch": bool(steps)},
        )
        found = produce_migrations(context, Base.metadata).upgrade_ops
        assert found
        code = render_python_code(found, render_as_batch=bool(steps))
    code = code.replace("handsel.models.base.UtcDateTime(", "sa.DateTime(")
    code = "\n".join(line for line in code.splitlines() if "###" not in line)
    page = PAGE.format(
        words=words.replace("_", " ").capitalize(),
        number=number,
        before=schema.newest() if steps else None,
        steps=code,
    )
    (VERSIONS / f"{name}.py").write_text(page)


if __name__ == "__main__":
    main(sys.argv[1])
