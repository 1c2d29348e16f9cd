"""What stands on an invoice or a credit note, in words: for the page, the PDF and the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.models import Invoice, InvoiceParty, Order, VatCheck
from handsel.models.words import PaperKind, TaxTreatment
from handsel.outbound import taxwords
from handsel.sales.invoicing import SALE

MOST_NAME = 200
MOST_ADDRESS = 500
MOST_NUMBER = 40

HEADINGS = {PaperKind.INVOICE: "Invoice", PaperKind.CREDIT_NOTE: "Credit note"}
_REASONS = {
    TaxTreatment.REVERSE_CHARGE: "Reverse charge: the recipient accounts for the {tax} "
    "(Article 196 of Directive 2006/112/EC).",
    TaxTreatment.OUTSIDE: "Not subject to {tax} of the European Union: the place of "
    "supply is outside of it.",
}


@dataclass(frozen=True)
class Paper:
    """One paper in words. Money and dates are written out; lines have no line breaks.

    Args:
        about: of a later paper, the number of the invoice it is about; else empty.
        seller: name, address, tax number, e-mail: one line each.
        buyer: the same of whom it is made out to.
        net: without the tax; empty, as are `tax_label` and `tax`, where there is none.
        notes: what the law or the seller wants to be said.
    """

    heading: str
    number: str
    about: str
    issued: str
    supplied: str
    order: str
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    title: str
    net: str
    tax_label: str
    tax: str
    gross: str
    notes: tuple[str, ...]
    test: bool


@dataclass(frozen=True)
class Party:
    """Whom an invoice is made out to, as the buyer says: lines as typed, may be empty."""

    name: str = ""
    address: str = ""
    tax_number: str = ""


def read_party(name: str, address: str, tax_number: str) -> Party:
    """Check what a buyer typed. Raises BadInputError with the field that is wrong."""
    party = Party(_line(name), "\n".join(_lines(address)), _line(tax_number))
    if not party.name:
        raise BadInputError(
            "An invoice needs a name.", "Yours, or your company's.", field="name"
        )
    limits = {"name": MOST_NAME, "address": MOST_ADDRESS, "tax_number": MOST_NUMBER}
    for field, most in limits.items():
        if len(getattr(party, field)) > most:
            raise BadInputError(
                f"That is more than {most} letters.", "Please shorten it.", field=field
            )
    return party


def _line(text: str) -> str:
    """Make one line of what was typed, without invisible signs."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _lines(text: str) -> list[str]:
    return [line for each in text.splitlines() if (line := _line(each))]


def party(session: Session, order: Order) -> Party:
    """Give whom an order's papers are made out to, as was said last."""
    newest = (
        select(InvoiceParty)
        .where(InvoiceParty.order_id == order.id)
        .order_by(InvoiceParty.id.desc())
        .limit(1)
    )
    found = session.scalars(newest).one_or_none()
    said = Party(found.name, found.address, found.tax_number) if found else Party()
    check = order.vat_check_id and session.get(VatCheck, order.vat_check_id)
    if not check:
        return said
    # Without it the seller would owe the tax: it is not for the buyer to take off.
    return Party(said.name or check.name, said.address, check.number)


def make_out(session: Session, order: Order, said: Party, now: datetime) -> None:
    """Make an order's papers out to somebody from now on; saying the same does nothing.

    The number that the register knows of a business stays, whatever is said.
    """
    if said == party(session, order):
        return
    session.add(
        InvoiceParty(
            order_id=order.id,
            name=said.name,
            address=said.address,
            tax_number=said.tax_number,
            said_at=now,
        )
    )


def in_words(session: Session, order: Order, paper: Invoice, locale: str) -> Paper:
    """Write a paper of an order out."""
    first = taxwords.first(session, order)
    assert first
    taxed = taxwords.is_said(paper)
    gross = Money(paper.gross_minor, paper.currency)
    tax = Money(paper.tax_minor, paper.currency)
    return Paper(
        heading=HEADINGS[paper.kind],
        number=paper.number,
        about="" if paper.cause.startswith(SALE) else first.number,
        issued=paper.issued_at.date().isoformat(),
        supplied=paper.supplied_at.date().isoformat(),
        order=order.number,
        seller=_seller(paper),
        buyer=_buyer(session, order, paper, locale),
        title=paper.title,
        net=format_money(gross - tax, locale) if taxed else "",
        tax_label=taxwords.label(paper, locale) if taxed else "",
        tax=format_money(tax, locale) if taxed else "",
        gross=format_money(gross, locale),
        notes=_notes(paper),
        test=paper.test,
    )


def _seller(paper: Invoice) -> tuple[str, ...]:
    said = paper.seller
    number = said["tax_number"] and f"{paper.tax_word} number {said['tax_number']}"
    lines = [said["name"], *_lines(said["address"]), number, said["email"]]
    return tuple(line for line in lines if line)


def _buyer(
    session: Session, order: Order, paper: Invoice, locale: str
) -> tuple[str, ...]:
    said = party(session, order)
    number = said.tax_number and f"{paper.tax_word} number {said.tax_number}"
    # Where nobody can be sure, the paper had better not say it.
    sure = paper.country and paper.confirmed and not said.address
    place = sure and taxwords.country_name(paper.country or "", locale)
    lines = [said.name, *_lines(said.address), place, number, order.email]
    return tuple(line for line in lines if line)


def _notes(paper: Invoice) -> tuple[str, ...]:
    reason = _REASONS.get(paper.treatment, "").format(tax=paper.tax_word)
    notes: Sequence[str] = [reason, *_lines(paper.seller["note"])]
    if paper.test:
        notes = ["This is a test: no money was moved.", *notes]
    return tuple(note for note in notes if note)
