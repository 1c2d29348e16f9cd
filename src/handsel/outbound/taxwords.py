"""What the tax on a paper is called, the same in mails as on the paper itself."""

from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.money import Money, format_money, format_rate
from handsel.models import Invoice, Order
from handsel.models.words import TaxTreatment

UNTAXED = (
    TaxTreatment.NONE,
    TaxTreatment.REVERSE_CHARGE,
    TaxTreatment.OUTSIDE,
)


def is_said(paper: Invoice) -> bool:
    """Say whether a paper has a line for its tax; a rate of nothing has one, too."""
    return paper.treatment not in UNTAXED


def label(paper: Invoice, locale: str) -> str:
    """Name the tax with its rate and, where it is not the seller's own, its country."""
    words = [paper.tax_word]
    if paper.basis_points is not None:
        words.append(format_rate(paper.basis_points, locale))
    if paper.treatment is TaxTreatment.DESTINATION and paper.country:
        words.append(f"({country_name(paper.country, locale)})")
    return " ".join(words)


def first(session: Session, order: Order) -> Invoice | None:
    """Give the invoice of an order, which all its later papers are about."""
    found = select(Invoice).where(Invoice.order_id == order.id).order_by(Invoice.id)
    return session.scalars(found.limit(1)).one_or_none()


def credited(session: Session, order: Order, refund: str) -> Invoice | None:
    """Give the credit note of a refund, which bears the provider's name for it."""
    mine = Invoice.order_id == order.id, Invoice.cause == f"refund:{refund}"
    return session.scalars(select(Invoice).where(*mine)).one_or_none()


def facts(paper: Invoice | None, link: str, locale: str) -> dict[str, str] | None:
    """Give what a mail says of a paper; None where there is none. `link`: the purchase's."""
    if paper is None:
        return None
    return {
        "number": paper.number,
        "tax": included(paper, locale),
        "link": f"{link}/invoice/{paper.id}",
    }


def included(paper: Invoice, locale: str) -> str:
    """Say how much of what was paid is tax; empty where none is."""
    if not is_said(paper):
        return ""
    amount = format_money(Money(paper.tax_minor, paper.currency), locale)
    return f"Including {label(paper, locale)}: {amount}"


def country_name(code: str, locale: str) -> str:
    """Name a country in a language; an unknown one by its letters."""
    names = Locale.parse(locale.replace("-", "_")).territories
    return str(names.get(code, code))
