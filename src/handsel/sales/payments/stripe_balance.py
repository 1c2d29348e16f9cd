"""The balance at Stripe: what changed it, with fees, and what was paid out of it.

Source: docs.stripe.com/payouts/reconciliation, docs.stripe.com/reports/reporting-categories.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import stripe
from stripe import BalanceTransaction, Charge, Dispute, Refund
from stripe import Payout as StripePayout
from stripe.params import BalanceTransactionListParams, PayoutListParams

from handsel.kit.errors import BadInputError, ConfigurationError
from handsel.kit.money import Money
from handsel.models.words import LineKind, PayoutState
from handsel.sales.payments.lines import Line, PayoutFacts
from handsel.sales.payments.stripe_errors import about_balance, in_our_words
from handsel.sales.payments.stripe_money import from_stripe

log = logging.getLogger("handsel.payments.stripe")

_KINDS = {
    "charge": LineKind.SALE,
    "refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE,
    "fee": LineKind.FEE,
    "payout_reversal": LineKind.RETURNED,
}
"""By `reporting_category`; all else is OTHER, under Stripe's own word."""
_PAYOUT = "payout"
"""The category of a payout's own line, which Stripe lists among what it is made up of."""
MOST_NOTE, MOST_WORD = 200, 80
_ILLEGIBLE = (ValueError, BadInputError)
"""Of a currency that nobody has paid with for years, or of half its smallest unit."""


def payouts(client: stripe.StripeClient, since: datetime) -> Iterator[PayoutFacts]:
    """Name the payouts made since then, newest first."""
    params: PayoutListParams = {
        "created": {"gte": int(since.timestamp())},
        "limit": 100,
    }
    with _reading("Payouts"):
        for found in client.v1.payouts.list(params).auto_paging_iter():
            try:
                yield _payout(found)
            except _ILLEGIBLE as error:
                log.error("Payout %s at Stripe cannot be read: %s", found.id, error)


def lines(
    client: stripe.StripeClient, since: datetime, until: datetime
) -> Iterator[Line]:
    """Tell what changed the balance from then on and before `until`, newest first."""
    start, end = int(since.timestamp()), int(until.timestamp())
    return _lines(client, {"created": {"gte": start, "lt": end}})


def lines_of(client: stripe.StripeClient, payout: str) -> Iterator[Line]:
    """Tell what a payout is made up of, which Stripe knows of automatic ones only."""
    return _lines(client, {"payout": payout})


def _lines(
    client: stripe.StripeClient, chosen: BalanceTransactionListParams
) -> Iterator[Line]:
    """Give each line that can be read; without one of them a payout does not add up."""
    # The source says which payment a line is about, and that saves a call for each.
    params: BalanceTransactionListParams = {
        **chosen,
        "limit": 100,
        "expand": ["data.source"],
    }
    with _reading("Balance and Balance transaction sources"):
        for found in client.v1.balance_transactions.list(params).auto_paging_iter():
            if found.reporting_category == _PAYOUT:
                continue
            try:
                yield _line(found)
            except _ILLEGIBLE as error:
                log.error("Line %s at Stripe cannot be read: %s", found.id, error)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Say which permission a key lacks. No news for the log: it is told every hour."""
    with in_our_words(about_balance):
        try:
            yield
        except stripe.PermissionError as error:
            raise _not_permitted(what, str(error)) from error


def _not_permitted(what: str, said: str) -> ConfigurationError:
    name = re.search(r"rak_\w+", said)
    also = f" (Stripe calls it {name[0]})" if name else ""
    return ConfigurationError(
        f"Stripe's key may not read {what}{also}.",
        "Give the restricted key this permission in Stripe's dashboard, under API keys; "
        "sales need it not.",
    )


def _payout(found: StripePayout) -> PayoutFacts:
    reverses = found.original_payout
    return PayoutFacts(
        object_id=found.id,
        amount=from_stripe(found.amount, found.currency),
        state=PayoutState(found.status),
        created_at=_time(found.created),
        arrives_on=_time(found.arrival_date).date(),
        divisible=found.automatic,
        settled=found.reconciliation_status == "completed",
        failure=(found.failure_code or "")[:MOST_WORD],
        reverses=(reverses if isinstance(reverses, str) else reverses.id)
        if reverses
        else "",
    )


def _line(found: BalanceTransaction) -> Line:
    amount = from_stripe(found.amount, found.currency)
    about = found.source
    known = about if isinstance(about, Charge | Refund | Dispute) else None
    return Line(
        object_id=found.id,
        kind=_KINDS.get(found.reporting_category, LineKind.OTHER),
        word=found.reporting_category[:MOST_WORD],
        amount=amount,
        fee=from_stripe(found.fee, found.currency),
        at=_time(found.created),
        payment=_payment_of(known),
        paid=_as_paid(known, amount) if known else None,
        rate=str(found.exchange_rate) if found.exchange_rate else "",
        note="" if about else (found.description or "")[:MOST_NOTE],
    )


def _payment_of(source: Charge | Refund | Dispute | None) -> str | None:
    intent = source.payment_intent if source else None
    return intent if isinstance(intent, str) or intent is None else intent.id


def _as_paid(source: Charge | Refund | Dispute, settled: Money) -> Money:
    """Give the amount as the buyer saw it; it goes the way the settled one goes."""
    paid = from_stripe(source.amount, source.currency)
    return Money(-paid.minor if settled.minor < 0 else paid.minor, paid.currency)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
