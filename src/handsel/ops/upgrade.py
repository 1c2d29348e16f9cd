"""Bringing a shop's database to this version, never without a backup first."""

from dataclasses import dataclass
from pathlib import Path

from handsel.ops import backup, schema
from handsel.shop import Shop


@dataclass(frozen=True)
class Upgraded:
    """From which step to which the schema went; `before` None means it was empty."""

    before: str | None
    after: str
    backup: Path | None


def upgrade(shop: Shop) -> Upgraded:
    """Take every step that is missing. Safe to repeat.

    Raises ConfigurationError for a database of a newer version.
    """
    before = schema.current(shop.database)
    saved = None
    if before is not None and before != schema.newest():
        if before not in schema.known():
            schema.check(shop.database)  # says so
        saved = backup.back_up(shop).path
    schema.upgrade(shop.database)
    return Upgraded(before, schema.newest(), saved)
