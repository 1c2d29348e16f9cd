"""What PayPal keeps of a payment: it says so with each capture and each refund.

Source: developer.paypal.com/docs/api/payments/v2, `seller_receivable_breakdown` and
`seller_payable_breakdown`.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from handsel.kit.money import Money
from handsel.models.words import LineKind
from handsel.sales.payments.lines import Line
from handsel.sales.payments.paypal_money import from_paypal

log = logging.getLogger("handsel.payments.paypal")

Found = dict[str, Any]


def lines(payments: Found) -> tuple[Line, ...]:
    """Tell what the captures and refunds of an order did to the seller's balance.

    What is still on its way, or cannot be read, is left out: a fee is not worth a sale.
    """
    try:
        return (*_captured(payments), *_refunded(payments))
    except (KeyError, ValueError, TypeError) as error:
        log.error("What PayPal kept of a payment cannot be read: %s", error)
        return ()


def _captured(payments: Found) -> Iterator[Line]:
    for each in payments.get("captures") or ():
        said = each.get("seller_receivable_breakdown") or {}
        # A fee that is not in the currency of the sale: of which of the amounts it is
        # taken PayPal does not say, and we do not guess.
        if "net_amount" not in said or "paypal_fee_in_receivable_currency" in said:
            continue
        gross, net = _money(said["gross_amount"]), _money(said["net_amount"])
        received = said.get("receivable_amount")
        yield Line(
            object_id=each["id"],
            kind=LineKind.SALE,
            word="capture",
            amount=gross,
            fee=gross - net,
            at=datetime.fromisoformat(each["create_time"]),
            payment=each["id"],
            paid=gross,
            rate=(said.get("exchange_rate") or {}).get("value") or "",
            received=_money(received) if received else None,
        )


def _refunded(payments: Found) -> Iterator[Line]:
    """Tell refunds that went, and both halves of those that came back, as with facts."""
    for each in payments.get("refunds") or ():
        said = each.get("seller_payable_breakdown") or {}
        if "net_amount" not in said or each["status"] == "PENDING":
            continue
        yield _refund(each, said, back=False)
        if each["status"] != "COMPLETED":
            yield _refund(each, said, back=True)


def _refund(found: Found, said: Found, *, back: bool) -> Line:
    sign = 1 if back else -1
    gross, net = _money(said["gross_amount"]), _money(said["net_amount"])
    debited = said.get("net_amount_in_receivable_currency")
    amount = _times(sign, gross)
    return Line(
        object_id=f"{found['id']}:back" if back else found["id"],
        kind=LineKind.REFUND,
        word="refund came back" if back else "refund",
        amount=amount,
        fee=_times(sign, gross - net),
        at=datetime.fromisoformat(found["create_time"]),
        payment=_capture_of(found),
        paid=amount,
        received=_times(sign, _money(debited)) if debited else None,
    )


def _capture_of(refund: Found) -> str:
    """Name the capture a refund is of, which stands in the address above it."""
    [above] = [each["href"] for each in refund["links"] if each["rel"] == "up"]
    return str(above.rpartition("/")[2])


def _times(sign: int, money: Money) -> Money:
    return Money(sign * money.minor, money.currency)


def _money(found: Found) -> Money:
    return from_paypal(found["value"], found["currency_code"])
