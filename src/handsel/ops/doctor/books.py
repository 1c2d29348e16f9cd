"""What the records tell: schema, web hooks, worker, backups, prices."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ConfigurationError
from handsel.kit.money import Money
from handsel.models import Duty, Inbox, Order, Product
from handsel.models.database import Database, without_index
from handsel.models.words import OrderStatus, ProductStatus
from handsel.ops import backup, mailing, schema
from handsel.ops.doctor import counting, mails, payouts, refunds, taxes, trials
from handsel.ops.doctor.findings import LATE, Finding, Level
from handsel.ops.places import sqlite_file
from handsel.sales.payments import paypal_money, stripe_money
from handsel.sales.payments.units import check
from handsel.settings import Settings

SILENCE = timedelta(hours=1)
"""How much later than a payment its web hook may come before somebody is told."""
LOOK_BACK = timedelta(days=7)
BACKUP_AGE = timedelta(hours=48)

_UNITS = {"stripe": stripe_money.units, "paypal": paypal_money.units}
_HOOKS = {
    "stripe": ("Stripe", "signing secret"),
    "paypal": ("PayPal", "Webhook ID"),
}
"""What has a web hook, and by what a message is known as its own."""


def look(home: Path, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Open the database, if it can be opened, and look at what it says."""
    if settings.database.url.startswith("sqlite"):
        file = sqlite_file(settings.database.url, home)
        if not file.exists():
            yield Finding(
                "H040",
                Level.ERROR,
                f"There is no database: {file} is missing.",
                "Restore a backup; in a new shop run `handsel upgrade`.",
            )
            return
    database = Database(settings.database.url, home, threads=2)
    try:
        yield from _look(database, settings, now)
    except SQLAlchemyError as error:
        yield Finding(
            "H041",
            Level.ERROR,
            f"The database cannot be used: {str(error.__cause__ or error).strip()}.",
            "Check database.url, and that its server runs; else restore a backup.",
        )
    finally:
        database.close()


def _look(database: Database, settings: Settings, now: datetime) -> Iterator[Finding]:
    try:
        schema.check(database)
    except schema.UnusableDatabaseError as error:
        yield Finding("H041", Level.ERROR, error.message, error.hint)
        return
    except ConfigurationError as error:
        yield Finding("H042", Level.ERROR, error.message, error.hint)
        return
    with database.reading() as session:
        yield from at_hand(session, settings, now)
        yield from at_length(session, settings, now)


def at_hand(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at what an index tells, however long the past: quick enough for any page."""
    yield from _prices(session, settings.providers)
    for provider in settings.providers:
        if provider in _HOOKS:
            yield from _web_hook(session, provider, now)
    yield from _reviews(session)
    yield from _disputes(session)
    yield from trials.look(session, now)
    yield from refunds.look(session, now)
    yield from mails.look(session, now)
    yield from counting.look(session, settings, now)
    yield from _worker(session, now)
    if settings.is_public:
        yield from _backup(session, now)


def at_length(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at what takes the longer the more was sold."""
    yield from payouts.look(session, now)
    yield from taxes.look(session, settings, now)
    yield from counting.samples(session, settings, now)


def _prices(session: Session, providers: list[str]) -> Iterator[Finding]:
    """Look for prices that none of the providers can charge: then nobody can buy."""
    real = [each for each in providers if each in _UNITS]
    for product in session.scalars(
        select(Product).where(
            Product.status == ProductStatus.PUBLISHED, Product.price_minor > 0
        )
    ):
        price = Money(product.price_minor, product.currency)
        refusals = [_refusal(each, price) for each in real]
        if refusals and all(refusals):
            yield Finding(
                "H023",
                Level.ERROR,
                f"Nobody can buy {product.slug}: {refusals[0]}",
                f"Run: handsel product edit {product.slug} --price ...",
            )


def _refusal(provider: str, price: Money) -> str:
    try:
        check(_UNITS[provider](price.currency), price)
    except BadInputError as error:
        return str(error)
    return ""


def _web_hook(session: Session, provider: str, now: datetime) -> Iterator[Finding]:
    """A shop once lost a year of receipts because nobody noticed this."""
    # The newest first, which an index gives: the most would look through a month of them.
    heard = session.scalar(
        select(Inbox.received_at)
        .where(without_index(Inbox.provider) == provider)
        .order_by(Inbox.received_at.desc())
        .limit(1)
    )
    since = max(now - LOOK_BACK, heard + SILENCE if heard else now - LOOK_BACK)
    unheard = session.scalar(
        select(func.count()).where(
            without_index(Order.provider) == provider,
            Order.paid_at > since,
            Order.paid_at < now - SILENCE,
        )
    )
    if unheard:
        last = f"for the last time on {heard:%Y-%m-%d %H:%M} UTC" if heard else "never"
        name, secret = _HOOKS[provider]
        yield Finding(
            "H024",
            Level.WARNING,
            f"{name}'s web hook has not been heard of ({last}), though {unheard} orders "
            "were paid since.",
            f"Look at the web hook in {name}'s dashboard: is it there, does it point to "
            f"/webhooks/{provider}, is its {secret} yours?",
        )


def _reviews(session: Session) -> Iterator[Finding]:
    held = session.scalar(
        select(func.count()).where(Order.status == OrderStatus.NEEDS_REVIEW)
    )
    if held:
        yield Finding(
            "H026",
            Level.WARNING,
            f"{held} orders are held back until you look at them.",
            "`handsel order list --status needs_review` shows them.",
        )


def _disputes(session: Session) -> Iterator[Finding]:
    """Whoever does not answer a bank in time has lost."""
    count = session.scalar(
        select(func.count()).where(Order.status == OrderStatus.DISPUTED)
    )
    if count:
        payments = "1 payment is" if count == 1 else f"{count} payments are"
        yield Finding(
            "H073",
            Level.WARNING,
            f"{payments} disputed: who does not answer in time has lost the money.",
            "`handsel order list --status disputed` shows them, `handsel order evidence "
            "NUMBER --submit` answers.",
        )


def last_at_work(session: Session) -> datetime | None:
    """Say when a worker has last done one of its duties, which come every minute."""
    return session.scalar(
        select(func.max(Duty.last_at)).where(
            Duty.name.not_in((backup.DUTY, mailing.TRIED))
        )
    )


def _worker(session: Session, now: datetime) -> Iterator[Finding]:
    last = last_at_work(session)
    if last and last < now - LATE:
        yield Finding(
            "H036",
            Level.WARNING,
            f"The worker was last at work on {last:%Y-%m-%d %H:%M} UTC: no mails are "
            "sent and no payments looked after.",
            "Start the shop with `handsel run`, or `handsel worker` beside `web`.",
        )


def _backup(session: Session, now: datetime) -> Iterator[Finding]:
    last = session.scalar(select(Duty.last_at).where(Duty.name == backup.DUTY))
    if last is None or last < now - BACKUP_AGE:
        when = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "yet"
        yield Finding(
            "H037",
            Level.WARNING,
            f"No backup was made {when}.",
            "Run `handsel backup` every day, and keep its files on another machine.",
        )
