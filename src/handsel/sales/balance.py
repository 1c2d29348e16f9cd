"""What can still go back of an order, and what follows from it. Sums of plain facts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money, format_money
from handsel.models import Order
from handsel.models.words import FactKind
from handsel.sales.payments.base import Fact
from handsel.sales.standing import sum_up


@dataclass(frozen=True)
class Balance:
    """What was paid for an order, what has gone back of it, and what is on its way."""

    paid: Money
    refunded: Money
    underway: Money

    @property
    def left(self) -> Money:
        """What can still go back."""
        gone = self.refunded.minor + self.underway.minor
        return Money(max(self.paid.minor - gone, 0), self.paid.currency)


def balance(order: Order, facts: Iterable[Fact], underway: int) -> Balance:
    """Sum the money of an order up, in the currency that was paid.

    Args:
        underway: what a provider has taken on and not let go yet, in minor units.

    Raises ConflictError for payments in several currencies.
    """
    facts = list(facts)
    currency = _currency(order, facts)
    standing = sum_up(facts, order.session_state)
    return Balance(
        Money(standing.captured, currency),
        Money(standing.refunded, currency),
        Money(underway, currency),
    )


def _currency(order: Order, facts: list[Fact]) -> str:
    moved = (FactKind.CAPTURE, FactKind.REFUND)
    found = {fact.amount.currency for fact in facts if fact.kind in moved}
    if len(found) > 1:
        raise ConflictError(
            f"Order {order.number} was paid in several currencies: "
            f"{' and '.join(sorted(found))}.",
            "Refund each payment in your provider's dashboard.",
        )
    return found.pop() if found else order.currency


def check(order: Order, there: Balance, amount: Money) -> None:
    """Refuse what cannot be refunded. Raises ConflictError, BadInputError."""
    if not there.paid.minor:
        _refuse_unpaid(order)
    if not there.left.minor:
        raise ConflictError(
            f"{_said(there.underway)} of order {order.number} is on its way already."
            if there.underway.minor
            else f"Order {order.number} was refunded already.",
            f"`handsel order show {order.number}` has all that is known of its money.",
        )
    if not 0 < amount.minor <= there.left.minor:
        going = there.underway
        raise BadInputError(
            f"{_said(amount)} cannot be refunded of order {order.number}.",
            f"Choose an amount up to {_said(there.left)}, or leave it out for all of "
            f"it{f'; {_said(going)} is on its way already' if going.minor else ''}.",
            field="amount",
        )


def _refuse_unpaid(order: Order) -> None:
    if order.paid_at is not None and not order.price_minor:
        raise ConflictError(
            f"Order {order.number} was free: there is no money to give back."
        )
    raise ConflictError(
        f"Order {order.number} has not been paid.",
        f"`handsel order show {order.number}` has all that is known of its money.",
    )


def _said(money: Money) -> str:
    return format_money(money, "en")


def opens_after(
    order: Order, facts: Iterable[Fact], amount: Money, *, keep_access: bool
) -> bool:
    """Say whether the files are open when an amount has gone back."""
    if order.review_reason is not None:
        return False
    at = max((fact.at for fact in facts), default=order.created_at)
    name = "to be"
    more = [Fact(FactKind.REFUND, name, amount, at + timedelta(seconds=1))]
    if keep_access:
        more.append(kept(more[0]))
    return sum_up([*facts, *more], order.session_state).access


def kept(refund: Fact) -> Fact:
    """Give the fact that a refund leaves the files open."""
    nothing = Money(0, refund.amount.currency)
    return Fact(FactKind.KEPT, refund.object_id, nothing, refund.at)
