"""The doctor: looks at everything a shop stands on, and says what to do.

It changes nothing and works when the shop itself cannot be opened; a finding has a
fixed id, so that people can look it up and programs can wait for it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from os import environ as environment
from pathlib import Path

from handsel.kit.errors import ConfigurationError, ShopError
from handsel.ops import previewing
from handsel.ops.doctor import books, domain, machine, returns, selling
from handsel.ops.doctor.findings import Finding, Level
from handsel.settings import Settings, load_settings

__all__ = ["Finding", "Level", "examine"]


def examine(
    home: Path, now: datetime, environ: Mapping[str, str] = environment
) -> list[Finding]:
    """Look at the shop in `home`, the worst findings first. Changes nothing."""
    return sorted(
        _look(home, now, environ), key=lambda each: list(Level).index(each.level)
    )


def _look(home: Path, now: datetime, environ: Mapping[str, str]) -> Iterator[Finding]:
    yield from machine.python()
    try:
        settings = load_settings(home, environ)
    except ConfigurationError as error:
        for problem in error.message.split("\n"):
            yield Finding("H001", Level.ERROR, problem, error.hint)
        return
    try:
        yield from machine.keys(home)
        yield from machine.folders(home, settings)
    except PermissionError as error:
        yield Finding(
            "H002",
            Level.ERROR,
            f"This user may not look at {error.filename}.",
            "Run commands as the user the shop runs as, for instance with sudo -u.",
        )
        return
    yield from selling.settings_of(settings)
    yield from _templates(home, settings)
    yield from domain.look(settings)
    yield from returns.look(settings)
    try:
        yield from books.look(home, settings, now)
    except ShopError as error:
        yield Finding("H002", Level.ERROR, error.message, error.hint)


def _templates(home: Path, settings: Settings) -> Iterator[Finding]:
    for error in previewing.broken(home, settings):
        yield Finding("H050", Level.ERROR, error.message, error.hint)
