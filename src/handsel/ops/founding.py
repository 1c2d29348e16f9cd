"""Making a new shop: its folder, its keys, a `handsel.toml` that explains itself."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from handsel.kit.errors import ConfigurationError, ConflictError
from handsel.kit.signing import Keys
from handsel.models.database import Database
from handsel.ops import schema
from handsel.settings import CONFIG_FILE, Settings, load_settings
from handsel.settings.editing import toml
from handsel.shop import KEYS_FILE

LOCAL_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Plan:
    """What a seller says of a new shop."""

    name: str
    email: str
    currency: str
    url: str = LOCAL_URL
    bind: str = "127.0.0.1:8000"
    origins: tuple[str, ...] = ()


def check_free(home: Path) -> None:
    """Refuse a folder that is a shop already. Raises ConflictError."""
    if (home / CONFIG_FILE).exists():
        raise ConflictError(
            f"There is a shop in {home} already.",
            "Choose another folder, or change its handsel.toml.",
        )


def found(home: Path, plan: Plan) -> None:
    """Make a shop in `home`. Nothing is left behind if a setting is wrong.

    Raises ConflictError, ConfigurationError.
    """
    check_free(home)
    was_there = home.exists()
    home.mkdir(parents=True, exist_ok=True)
    draft = home / CONFIG_FILE
    draft.write_text(config_text(plan), "utf-8")
    try:
        settings = load_settings(home, {})
    except ConfigurationError as error:
        draft.unlink()
        if not was_there:
            home.rmdir()
        # Nobody has seen that file: its lines say nothing, and it is gone.
        problems = re.sub(rf"(?m)^{CONFIG_FILE}, line \d+: ", "", error.message)
        raise ConfigurationError(
            problems, "Nothing was made. Try again with another value."
        ) from None
    Keys.load_or_create(home / KEYS_FILE)
    (home / "templates").mkdir(exist_ok=True)
    prepare(home, settings)


def prepare(home: Path, settings: Settings) -> None:
    """Create the database of a new shop, readable by its owner only. Safe to repeat."""
    os.umask(0o077)
    database = Database(settings.database.url, home)
    try:
        schema.upgrade(database)
    finally:
        database.close()


def config_text(plan: Plan) -> str:
    """Write a `handsel.toml` that names every setting, those of the plan filled in."""
    chosen = {
        ("shop", "name"): plan.name,
        ("shop", "email"): plan.email,
        ("shop", "currency"): plan.currency,
        ("shop", "url"): plan.url,
        ("server", "bind"): plan.bind,
        ("embed", "origins"): list(plan.origins) or None,
    }
    lines = [
        "# The settings of your shop. A line that begins with # is a default: take the",
        "# # away to change it. HANDSEL_SECTION__KEY in the environment wins over this",
        '# file. Secrets go into files of their own: write KEY_file = "secrets/NAME".',
    ]
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += ["", f"# {kind.__doc__}", f"[{section}]"]
            for name, setting in kind.model_fields.items():
                if name == "api_base":
                    continue
                key = setting.alias or name
                lines += _comment(setting.description or "")
                value = chosen.get((section, key))
                lines.append(
                    f"{key} = {toml(value)}"
                    if value is not None
                    else f"# {key} = {toml(_default(setting))}"
                )
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    words, lines = text.split(), ["#"]
    for word in words:
        if len(lines[-1]) + len(word) > 86:
            lines.append("#")
        lines[-1] += f" {word}"
    return lines


def _default(setting: Any) -> object:
    if setting.default is PydanticUndefined:
        return setting.default_factory()
    return setting.default if setting.default is not None else ""
