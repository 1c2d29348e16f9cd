"""The doctor: looks at everything a shop stands on, and says what to do.

It changes nothing and works when the shop itself cannot be opened; a finding has a
fixed id, so that people can look it up and programs can wait for it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from os import environ as environment
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel.kit.errors import ConfigurationError, ShopError
from handsel.models import KeptFinding
from handsel.ops import previewing
from handsel.ops.doctor import anew, books, machine, returns, selling
from handsel.ops.doctor.findings import Finding, Level
from handsel.settings import Settings, load_settings
from handsel.shop import Shop

__all__ = ["Finding", "Level", "at_hand", "examine", "keep", "kept"]


def examine(
    home: Path, now: datetime, environ: Mapping[str, str] = environment
) -> list[Finding]:
    """Look at the shop in `home`, the worst findings first. Changes nothing."""
    return sorted(
        _look(home, now, environ), key=lambda each: list(Level).index(each.level)
    )


def at_hand(shop: Shop, session: Session, now: datetime) -> list[Finding]:
    """Look at what can be seen at once, the worst first: for the desk's first page.

    Neither the net is asked nor anything that takes the longer the more was sold; what
    was found there is what the worker keeps.
    """
    found = [
        *anew.look(shop),
        *machine.folders(shop.home, shop.settings),
        *selling.settings_of(shop.settings),
        *books.at_hand(session, shop.settings, now),
        *kept(session),
    ]
    return sorted(found, key=lambda each: list(Level).index(each.level))


def keep(shop: Shop) -> None:
    """Look at what takes its time, and keep it for the desk; for the worker."""
    now = shop.now()
    found = [*_templates(shop.home, shop.settings), *_domain(shop.settings)]
    with shop.reading() as session:
        found += books.at_length(session, shop.settings, now)
    with shop.transaction() as session:
        session.execute(delete(KeptFinding))
        session.add_all(
            KeptFinding(
                place=place,
                code=each.id,
                level=each.level,
                problem=each.problem,
                hint=each.hint,
                found_at=now,
            )
            for place, each in enumerate(found)
        )


def kept(session: Session) -> list[Finding]:
    """Give what was found when it was looked for last."""
    rows = session.scalars(select(KeptFinding).order_by(KeptFinding.place))
    return [Finding(row.code, row.level, row.problem, row.hint) for row in rows]


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
    yield from _domain(settings)
    yield from returns.look(settings)
    try:
        yield from books.look(home, settings, now)
    except ShopError as error:
        yield Finding("H002", Level.ERROR, error.message, error.hint)


def _domain(settings: Settings) -> Iterator[Finding]:
    from handsel.ops.doctor import domain  # a page that looks at hand needs no DNS

    return domain.look(settings)


def _templates(home: Path, settings: Settings) -> Iterator[Finding]:
    for error in previewing.broken(home, settings):
        yield Finding("H050", Level.ERROR, error.message, error.hint)
