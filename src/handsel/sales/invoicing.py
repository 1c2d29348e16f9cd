"""Invoices and credit notes: one numbered paper for each movement of an order's money.

They follow from the ledger, as access does: `follow` issues what is missing, in the
transaction that heard of the money, so that numbers have no gaps and no paper is forgotten.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.models import Invoice, Order, Product, Series
from handsel.models.database import insert_new
from handsel.models.words import FactKind, PaperKind, TaxTreatment
from handsel.sales import businesses, invoices
from handsel.sales.businesses import Business
from handsel.sales.orders import facts_of
from handsel.sales.payments.base import Fact
from handsel.sales.pricing import contained
from handsel.sales.tax import rules
from handsel.sales.tax.rules import Places, Tax
from handsel.settings import Settings

SALE = "sale:"
"""What the cause of a paper about money that came begins with."""
TEST = "TEST-"
"""What numbers of test purchases begin with: they count apart."""

# What goes back, and what undoes that. An invoice follows the second only if there was a
# credit note for the first.
_BACK = {FactKind.REFUND: "refund", FactKind.DISPUTE_LOST: "dispute"}
_UNDONE = {
    FactKind.VOID: "refund",
    FactKind.DISPUTE_WON: "dispute",
    FactKind.DISPUTE_SETTLED: "dispute",
}


@dataclass(frozen=True)
class Movement:
    """Money that came in or went back, and needs a paper. `cause` names it for good."""

    cause: str
    kind: PaperKind
    amount: Money
    at: datetime


def missing(facts: Iterable[Fact], issued: Collection[str]) -> list[Movement]:
    """Say which papers facts ask for that are not there yet, the oldest first.

    What was undone before anybody wrote a paper about it needs none.

    Args:
        issued: the causes of those that are there.
    """
    facts = sorted(facts, key=lambda fact: (fact.at, fact.object_id))
    undone = {_undone(fact) for fact in facts if fact.kind in _UNDONE}
    asked = [_movement(fact, undone, issued) for fact in facts]
    # A dispute may be won and settled: that is undone once.
    new = {each.cause: each for each in asked if each and each.cause not in issued}
    return list(new.values())


def _movement(
    fact: Fact, undone: Collection[str], issued: Collection[str]
) -> Movement | None:
    """Say which paper one fact asks for; None for one that asks for none."""
    if fact.kind is FactKind.CAPTURE:
        return Movement(
            f"{SALE}{fact.object_id}", PaperKind.INVOICE, fact.amount, fact.at
        )
    if fact.kind in _BACK:
        cause = f"{_BACK[fact.kind]}:{fact.object_id}"
        if cause in undone and cause not in issued:
            return None
        return Movement(cause, PaperKind.CREDIT_NOTE, fact.amount, fact.at)
    if fact.kind in _UNDONE and _undone(fact) in issued:
        cause = f"undone:{fact.object_id}"
        return Movement(cause, PaperKind.INVOICE, fact.amount, fact.at)
    return None


def _undone(fact: Fact) -> str:
    """Name what a fact undoes, as the cause of the paper about it."""
    return f"{_UNDONE[fact.kind]}:{fact.object_id}"


def follow(
    session: Session, order: Order, settings: Settings, now: datetime
) -> list[Invoice]:
    """Issue what papers an order's money asks for and does not have. Safe to repeat.

    Nobody else may write to the order meanwhile, as nobody does while its money is
    recorded. An order that is held back for a look gets none until it was looked at.
    """
    if order.paid_at is None or not order.price_minor:
        return []
    there = list(invoices.of(session, order))
    if not there and order.review_reason is not None:
        return []
    known = len(there)
    facts = facts_of(session, order)
    # What one paper says can make room for another: then look again.
    while made := _new_papers(session, order, facts, there, settings, now):
        there += made
    session.flush()
    return there[known:]


def _new_papers(
    session: Session,
    order: Order,
    facts: Sequence[Fact],
    there: Sequence[Invoice],
    settings: Settings,
    now: datetime,
) -> list[Invoice]:
    every = list(there)
    for movement in missing(facts, {paper.cause for paper in there}):
        if paper := _paper(session, order, movement, every, settings, now):
            session.add(paper)
            every.append(paper)
    return every[len(there) :]


def _paper(
    session: Session,
    order: Order,
    movement: Movement,
    there: Sequence[Invoice],
    settings: Settings,
    now: datetime,
) -> Invoice | None:
    """Write one paper, with the next number.

    None for what no paper can be about, such as more going back than came in: that is for
    somebody to look at.
    """
    if not movement.amount.minor:
        return None
    if movement.cause.startswith(SALE):
        product = session.get_one(Product, order.product_id)
        business = businesses.of(session, order.vat_check_id)
        found = _taxed(order, business, product, settings, movement)
        made = _sale(product, settings, found, movement.amount)
        made.vat_number = business.number if business else None
        if found.treatment is TaxTreatment.PROVIDER:
            made.basis_points = None  # it may be made up of several
            made.tax_minor = _told_tax(order, there, made.gross_minor)
    elif there and (gross := _bounded(there, movement)):
        made = _again(there[0], gross, _share(there, movement.kind, gross))
    else:
        return None
    base = _prefix(settings, movement.kind, order)
    made.prefix, made.sequence = next_number(session, base, settings)
    made.order_id, made.kind, made.cause = order.id, movement.kind, movement.cause
    made.issued_at, made.supplied_at, made.test = now, movement.at, order.test
    made.currency = movement.amount.currency
    return made


def _told_tax(order: Order, there: Sequence[Invoice], gross: int) -> int:
    """Give the part of the provider's tax that is in this payment."""
    tax, price = order.tax_minor or 0, order.price_minor
    return min(gross, rules.share(tax, price, _sold(there), gross))


def _taxed(
    order: Order,
    business: Business | None,
    product: Product,
    settings: Settings,
    movement: Movement,
) -> Tax:
    places = Places(order.country, order.card_country, order.network_country)
    if business:
        return rules.of_business(business.country, places)
    return rules.tax(settings.tax, product.tax_class, places, movement.at.date())


def _sale(product: Product, settings: Settings, found: Tax, gross: Money) -> Invoice:
    return Invoice(
        title=product.name,
        gross_minor=gross.minor,
        tax_minor=contained(gross, found.basis_points).minor,
        basis_points=found.basis_points,
        tax_word=settings.tax.name,
        tax_class=product.tax_class,
        treatment=found.treatment,
        country=found.country,
        confirmed=found.confirmed,
        seller=_seller(settings),
    )


def _seller(settings: Settings) -> dict[str, str]:
    return {
        "name": settings.invoice.seller or settings.shop.name,
        "address": settings.shop.address,
        "email": settings.shop.email,
        "tax_number": settings.tax.number,
        "note": settings.invoice.note,
    }


def _again(first: Invoice, gross: int, tax: int) -> Invoice:
    """Write a later paper: by the rules of the sale, whatever the settings say by now."""
    return Invoice(
        title=first.title,
        gross_minor=gross,
        tax_minor=tax,
        basis_points=first.basis_points,
        tax_word=first.tax_word,
        tax_class=first.tax_class,
        treatment=first.treatment,
        country=first.country,
        vat_number=first.vat_number,
        confirmed=first.confirmed,
        seller=first.seller,
    )


def _bounded(there: Sequence[Invoice], movement: Movement) -> int:
    """Give the amount of a later paper: no more goes back than came, or comes again."""
    back = _credited(there)
    most = back if movement.kind is PaperKind.INVOICE else _sold(there) - back
    return max(0, min(movement.amount.minor, most))


def _sold(there: Sequence[Invoice]) -> int:
    return sum(p.gross_minor for p in there if p.cause.startswith(SALE))


def _credited(there: Sequence[Invoice]) -> int:
    """Give what went back so far, less what came again."""
    later = [paper for paper in there if not paper.cause.startswith(SALE)]
    return sum(
        paper.gross_minor if paper.kind is PaperKind.CREDIT_NOTE else -paper.gross_minor
        for paper in later
    )


def _share(there: Sequence[Invoice], kind: PaperKind, gross: int) -> int:
    """Give the tax of a later paper, so that those of all parts make up the whole."""
    sales = [paper for paper in there if paper.cause.startswith(SALE)]
    tax = sum(paper.tax_minor for paper in sales)
    back = _credited(there)
    before = back if kind is PaperKind.CREDIT_NOTE else back - gross
    return rules.share(tax, _sold(there), before, gross)


def _prefix(settings: Settings, kind: PaperKind, order: Order) -> str:
    named = settings.invoice
    prefix = named.prefix if kind is PaperKind.INVOICE else named.credit_prefix
    return f"{TEST}{prefix}" if order.test else prefix


def next_number(session: Session, base: str, settings: Settings) -> tuple[str, int]:
    """Take the next number, for this transaction alone: others wait until it ends."""
    taken = (
        update(Series)
        .where(Series.base == base, Series.closed.is_(False))
        .values(last=Series.last + 1)
        .returning(Series.prefix, Series.last)
        .execution_options(synchronize_session=False)
    )
    if not (row := session.execute(taken).one_or_none()):
        _begin(session, base, settings)
        row = session.execute(taken).one()
    return row.prefix, row.last


def _begin(session: Session, base: str, settings: Settings) -> None:
    """Begin a series: the first of its name, or the one after those that are closed."""
    before = session.scalars(select(Series.prefix).where(Series.base == base)).all()
    prefix = f"{base}R{len(before) + 1}-" if before else base
    first = settings.invoice.first if prefix == settings.invoice.prefix else 1
    series = {"base": base, "first": first, "last": first - 1, "closed": False}
    insert_new(session, Series, prefix=prefix, **series)


def close_series(session: Session) -> None:
    """Give no more numbers of any series: some may be out that are not known here."""
    session.execute(update(Series).values(closed=True))
