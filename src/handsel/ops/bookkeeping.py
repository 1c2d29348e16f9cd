"""Papers for a seller: finding one, setting it, and issuing those that are missing."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.models import Invoice, Order
from handsel.ops import paperpdf
from handsel.ops.shelving import Witness, nobody
from handsel.sales import invoices, invoicing, orders
from handsel.sales.papers import Paper
from handsel.settings import Settings
from handsel.shop import Shop

BATCH = 200


def paper(session: Session, number: str) -> tuple[Invoice, Order]:
    """Give a paper by its own number, or the invoice of an order by the order's.

    Raises NotFoundError.
    """
    typed = number.strip()
    found = invoices.by_number(session, typed)
    if found is not None:
        return found, session.get_one(Order, found.order_id)
    if not typed.upper().removeprefix("H-").isdecimal():
        raise NotFoundError(
            f"There is no paper {typed}.", "`handsel invoice list` shows them all."
        )
    order = orders.by_number(session, typed)
    every = invoices.of(session, order)
    if not every:
        raise NotFoundError(
            f"Order {order.number} has no invoice.",
            "Free orders, and those not paid, have none; `handsel invoice issue` makes up "
            "for orders from before there were invoices.",
        )
    return every[0], order


def write_pdf(words: Paper, target: Path) -> None:
    """Write a paper into a file as a PDF. Raises OSError."""
    target.write_bytes(paperpdf.render(words))


def as_text(words: Paper) -> str:
    """Set a paper for a terminal."""
    about = [f"For invoice {words.about}"] if words.about else []
    sums = [(words.title, words.net or words.gross)]
    if words.tax:
        sums.append((words.tax_label, words.tax))
    sums.append(("Total", words.gross))
    wide = max(len(what) for what, _ in sums)
    right = max(len(amount) for _, amount in sums)
    parts = (
        [f"{words.heading} {words.number}", *about],
        words.seller,
        [f"To: {words.buyer[0]}", *words.buyer[1:]] if words.buyer else [],
        [f"{words.issued}, order {words.order}, money moved on {words.supplied}"],
        [f"{what:{wide}}  {amount:>{right}}" for what, amount in sums],
        words.notes,
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def issue_missing(
    shop: Shop,
    *,
    untaxed: bool = False,
    most: int | None = None,
    witness: Witness = nobody,
) -> list[str]:
    """Issue papers that are missing, the oldest purchase first; give their numbers.

    A few at a time, so that nobody waits long; safe to repeat, and to stop in between.

    Args:
        untaxed: whatever is set now, there was no tax in those sales.
        most: for so many purchases at the most; None is all.
        witness: told in each transaction that issues some.
    """
    made: list[str] = []
    settings = shop.settings
    if untaxed:
        none = settings.tax.model_copy(update={"mode": "none"})
        settings = settings.model_copy(update={"tax": none})
    left, last = most, None
    while left is None or left > 0:
        with shop.transaction() as session:
            some = BATCH if left is None else min(BATCH, left)
            lacking = invoices.lacking(session, some, after=last, to_change=True)
            issued = _issued(session, lacking, settings, shop.now())
            if issued:
                witness(session)
        if not lacking:
            break
        # Somebody else may have issued all of these while we waited for them.
        last = lacking[-1]
        made += [paper.number for paper in issued]
        left = None if left is None else left - len({each.order_id for each in issued})
    return made


def _issued(
    session: Session, lacking: Sequence[Order], settings: Settings, now: datetime
) -> list[Invoice]:
    return [
        paper
        for order in lacking
        for paper in invoicing.follow(session, order, settings, now)
    ]
