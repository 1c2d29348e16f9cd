"""What the database promises: the same from every migration, and nothing by chance."""

import ast
import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Enum, Inspector, inspect, text

import handsel
from handsel.models import Base
from handsel.models.database import Database
from handsel.shop import Shop

SOURCE = Path(handsel.__file__).parent
PERSONAL = re.compile(
    "email|recipient|address|name|ip|agent|phone|raw|last4|client"
    "|error|detail|pause|payload"  # the words of mail servers, which name addresses
)
NOT_OF_PEOPLE = {
    *("products.name", "release_files.name", "duties.name", "sources.name"),
    *("experiments.name", "experiment_variants.name"),
    "experiments.shipped",  # in which there is an "ip"
    "campaigns.errors",  # a number
    # Of those who run the shop, and gone with them.
    *("staff.email", "staff.email_key", "passkeys.name"),
    "recovery_codes.code_hash",
    "hook_endpoints.with_email",  # a yes or no
}


def test_every_column_about_a_person_says_what_erasing_does_to_it() -> None:
    silent = [
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if PERSONAL.search(re.sub("_(at|id|by)$", "", column.name))
        and str(column) not in NOT_OF_PEOPLE
        and "description" not in column.name
        and column.info.get("personal") not in ("erase", "keep for tax")
    ]
    assert silent == []


def test_every_word_of_a_status_is_checked_by_the_database(shop: Shop) -> None:
    with shop.database.engine.connect() as connection:
        found = inspect(connection)
        for table in Base.metadata.tables.values():
            checks = " ".join(
                str(each["sqltext"]) for each in found.get_check_constraints(table.name)
            )
            for column in table.columns:
                if isinstance(column.type, Enum):
                    for word in column.type.enums:
                        assert f"'{word}'" in checks, f"{column} takes any word"


STATES = {"state", "status", "session_state", "paid_at", "refunded_minor"}


def test_every_state_is_set_where_its_life_is_told_and_nowhere_else() -> None:
    setters = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "carrier" not in path.parts and _sets_a_state(ast.parse(path.read_text()))
    }
    assert setters == {
        *("sales/orders.py", "sales/placing.py", "sales/catalogue.py"),
        *("sales/refunds.py", "sales/rebuilding.py", "sales/payouts.py"),
        *("delivery/access.py", "delivery/serving.py", "outbound/outbox.py"),
        *("outbound/campaigns.py", "outbound/recipients.py"),
        *("analytics/experiments.py", "outbound/webhooks/endpoints.py"),
    }


def _sets_a_state(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = [
                each.attr for each in node.targets if isinstance(each, ast.Attribute)
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            (".values", "insert_new", "Product", "Order", "Grant", "OutboxItem")
        ):
            names = [each.arg or "" for each in node.keywords]
        else:
            continue
        if STATES & set(names):
            return True
    return False


def test_a_database_migrated_from_nothing_is_what_the_models_say(
    shop: Shop, tmp_path: Path
) -> None:
    with shop.database.engine.connect() as connection:
        migrated = described(inspect(connection))
        if not shop.database.is_sqlite:
            modelled = described(_modelled(connection), schema="modelled")
    if shop.database.is_sqlite:
        other = Database("sqlite:///modelled.db", tmp_path)
        Base.metadata.create_all(other.engine)
        with other.engine.connect() as connection:
            modelled = described(inspect(connection))
        other.close()
    migrated.pop("alembic_version")
    assert set(migrated) == set(modelled)
    for table in migrated:
        assert migrated[table] == modelled[table]


def _modelled(connection: Connection) -> Inspector:
    """Make the tables of the models in a schema beside the migrated one."""
    connection.execute(text("CREATE SCHEMA modelled"))
    beside = {"schema_translate_map": {None: "modelled"}}
    Base.metadata.create_all(connection.execution_options(**beside))
    return inspect(connection)


def described(found: Inspector, schema: str | None = None) -> dict[str, Any]:
    """Everything a table is made of, in words that can be compared."""

    def said(each: Any) -> str:
        facts = dict(each) | {
            f"option {name}": value
            for name, value in each.get("dialect_options", {}).items()
        }
        kept = {
            name: str(value)
            for name, value in facts.items()
            if name not in ("dialect_options", "referred_schema")
        }
        return str(sorted(kept.items())).replace("modelled.", "")

    looks = (
        *(found.get_columns, found.get_indexes, found.get_unique_constraints),
        *(found.get_check_constraints, found.get_foreign_keys),
    )
    return {
        table: {
            look.__name__: sorted(said(each) for each in look(table, schema=schema))
            for look in looks
        }
        | {"key": found.get_pk_constraint(table, schema=schema)}
        for table in found.get_table_names(schema=schema)
    }
