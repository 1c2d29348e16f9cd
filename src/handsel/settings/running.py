"""What of the settings a running shop takes as it finds it, and what when it starts."""

from collections.abc import Iterator

from pydantic import BaseModel

from handsel.settings.fields import Settings

AT_START = (
    "server.bind",
    "server.threads",
    "database.url",
    "storage.kind",
    "storage.path",
)
"""What counts from the next start: where the shop listens, and where its records are."""


def while_running(running: Settings, found: Settings) -> Settings:
    """Give the settings that were found, as far as a running shop can take them."""
    changes: dict[str, dict[str, object]] = {}
    for name in AT_START:
        section, _, key = name.partition(".")
        changes.setdefault(section, {})[key] = getattr(getattr(running, section), key)
    return found.model_copy(
        update={
            section: getattr(found, section).model_copy(update=kept)
            for section, kept in changes.items()
        }
    )


def differing(one: Settings, other: Settings) -> list[str]:
    """Name the settings that are not the same, as people write them."""
    return [
        f"{section}.{field.alias or key}"
        for section, kind in sections()
        for key, field in kind.model_fields.items()
        if getattr(getattr(one, section), key) != getattr(getattr(other, section), key)
    ]


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Give every section by its name, in the order of the file."""
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield section, kind
