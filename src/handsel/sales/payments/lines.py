"""What a provider says of the seller's own money there: lines of a balance, payouts.

Of payments and what they cost every provider can tell, with each look (`Payment.lines`).
Payouts are Stripe's alone: PayPal keeps the money, and test money goes nowhere.
"""

from dataclasses import dataclass
from datetime import date, datetime

from handsel.kit.money import Money
from handsel.models.words import LineKind, PayoutState


@dataclass(frozen=True)
class Line:
    """One change of what a seller has at a provider, named by the provider's object id.

    Hearing of it twice changes nothing. Money that goes out is below zero.

    Args:
        word: what the provider itself calls this kind of change.
        amount: before the fee, in the currency the fee was taken in.
        fee: what the provider kept; below zero what it gave back.
        payment: the object id of the CAPTURE fact it has to do with; None if with none.
        paid: `amount` as the buyer saw it, in their currency.
        rate: how money was exchanged, digit for digit.
        received: what became of the rest, where it was exchanged after the fee.
        note: the provider's words, if they are about no payment and so about no person.

    Raises ValueError when amount and fee are of two currencies.
    """

    object_id: str
    kind: LineKind
    word: str
    amount: Money
    fee: Money
    at: datetime
    payment: str | None = None
    paid: Money | None = None
    rate: str = ""
    received: Money | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _ = self.net  # two currencies cannot be subtracted

    @property
    def net(self) -> Money:
        """What is left of the amount after the fee."""
        return self.amount - self.fee


@dataclass(frozen=True)
class PayoutFacts:
    """Money sent to the seller's bank, as the provider sees it at this moment.

    Args:
        amount: below zero when it is fetched from the bank.
        divisible: whether the provider can say of what it is made up.
        settled: whether it has finished making it up.
        failure: why it did not arrive, in the provider's word.
        reverses: the payout that this one takes back.
    """

    object_id: str
    amount: Money
    state: PayoutState
    created_at: datetime
    arrives_on: date
    divisible: bool
    settled: bool
    failure: str = ""
    reverses: str = ""
