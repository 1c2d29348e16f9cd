"""Where the parts of a shop lie on the disk."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handsel.settings import DatabaseSettings, StorageSettings

BACKUPS = "backups"
SECRETS = "secrets"
TEMPLATES = "templates"


@dataclass(frozen=True)
class Places:
    """Where a shop keeps its records and its files."""

    database_url: str
    storage: Path

    @property
    def is_sqlite(self) -> bool:
        """Whether the records are in a file of our own."""
        return self.database_url.startswith("sqlite")


def sqlite_file(url: str, home: Path) -> Path:
    """Give the file behind `sqlite:///FILE`, as in the settings or as opened."""
    return home / url.removeprefix("sqlite:///")


LOGS = ("", "-wal", "-shm", "-journal")
"""How the names of a SQLite file, and of those that may lie beside it, end."""


def with_logs(database: Path) -> list[Path]:
    """Give a SQLite file and those that may lie beside it."""
    return [database.with_name(database.name + end) for end in LOGS]


def read_places(
    config: str, home: Path, environ: Mapping[str, str] = os.environ
) -> Places:
    """Read the two settings a restore needs, though others may be incomplete."""
    values = tomllib.loads(config)
    url = _setting(values, home, environ, "database", "url")
    path = _setting(values, home, environ, "storage", "path")
    return Places(
        url or DatabaseSettings.model_fields["url"].default,
        home / (path or StorageSettings.model_fields["path"].default),
    )


def _setting(
    values: dict[str, Any],
    home: Path,
    environ: Mapping[str, str],
    section: str,
    key: str,
) -> str:
    name = f"HANDSEL_{section}__{key}".upper()
    if name in environ:
        return environ[name]
    chosen = values.get(section, {})
    if f"{key}_file" in chosen:
        return (home / str(chosen[f"{key}_file"])).read_text("utf-8").strip()
    return str(chosen.get(key, ""))
