"""What a seller does to give money back, and what is known of it afterwards."""

from typing import Any

from sqlalchemy import select

from handsel.models import LedgerEntry, Refund
from handsel.models.words import FactKind, RefundReason, RefundState
from handsel.ops import refunding
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till

ADA = "ada@example.org"
R = RefundReason.REQUESTED


def give_back(
    shop: Shop,
    amount: str | None = None,
    *,
    keep_access: bool = False,
    number: str = "H-1001",
) -> dict[str, Any]:
    """Refund an order as the command does; give how it stands then."""
    wish = refunding.Wish(amount, R, keep_access)
    return refunding.refund(shop, refunding.plan(shop, number, wish)).order


def rows(shop: Shop) -> list[Refund]:
    """Give what the seller has asked for."""
    with shop.reading() as session:
        return list(session.scalars(select(Refund).order_by(Refund.id)))


def states(shop: Shop) -> list[RefundState]:
    """Give how far it has come."""
    return [each.state for each in rows(shop)]


def ledger(shop: Shop, kind: FactKind) -> list[LedgerEntry]:
    """Give the facts of one kind."""
    with shop.reading() as session:
        chosen = select(LedgerEntry).where(LedgerEntry.kind == kind)
        return list(session.scalars(chosen.order_by(LedgerEntry.id)))


def sold(till: Till) -> str:
    """Sell a book by Stripe, whose web hooks stay away from then on; name its session."""
    make.product(till.shop)
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name, email=ADA)
    till.stripe.hooks.mode = "drop"
    return name


def lose_the_answer(till: Till) -> None:
    """Let Stripe make the next refund, whose answer gets lost, and its repeat as well.

    Spared are the looks at the payment before: two of the plan, one of the refund.
    """
    till.stripe.faults.lose_next(2, spare=3)


def at_stripe(till: Till) -> list[int]:
    """Give the amounts that went back at Stripe."""
    return [each["amount"] for each in till.stripe.bank.kept["refund"].values()]
