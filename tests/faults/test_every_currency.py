"""P12: money in every currency we offer: what is typed is charged, recorded and given back."""

import ast
import random
from pathlib import Path

import pytest

import handsel
from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, currencies, format_money, parse_money
from handsel.models.words import OrderStatus
from handsel.sales.payments.stripe_money import from_stripe, to_stripe
from tests import make
from tests.ground.cases import Say
from tests.ground.till import Till, untrue

SEED = 12
SOURCE = Path(handsel.__file__).parent
MONEY_ROOMS = sorted(
    {
        SOURCE / "kit" / "money.py",
        SOURCE / "ops" / "verify" / "money.py",
        *(SOURCE / "models").glob("orders.py"),
        *(SOURCE / "sales").glob("*.py"),
        *(SOURCE / "sales" / "tax").glob("[!v]*.py"),
        SOURCE / "settings" / "tax.py",
        SOURCE / "models" / "invoices.py",
        *(SOURCE / "sales" / "payments").glob("stripe_[mfcw]*.py"),
        *(SOURCE / "sales" / "payments").glob("paypal_[mfrw]*.py"),
        SOURCE / "sales" / "payments" / "units.py",
    }
)


def test_amounts_of_every_currency_come_back_as_they_went(say: Say) -> None:
    _round_trips(say, each=70)


@pytest.mark.storm
@pytest.mark.timeout(1800)
def test_10_000_amounts_of_every_currency_come_back_as_they_went(say: Say) -> None:
    _round_trips(say, each=10_000)


def _round_trips(say: Say, *, each: int) -> None:
    """Type, read, charge and hear of so many amounts in each currency."""
    source = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    charged, refused, lost = 0, 0, []
    for currency in sorted(currencies()):
        for _ in range(each):
            price = Money(source.randint(1, MAX_MINOR), currency)
            if parse_money(str(price), "EUR") != price:
                lost.append(price)
            try:
                sent = to_stripe(price)
            except BadInputError:  # what Stripe cannot count is never rounded
                refused += 1
                continue
            charged += 1
            if from_stripe(sent, currency.lower()) != price:
                lost.append(price)
    say(
        "P12", currencies=len(currencies()), charged=charged, refused=refused, seed=SEED
    )
    assert lost == []
    assert charged > 0.7 * (charged + refused)


@pytest.mark.parametrize(
    ("price", "third", "sent"),
    [
        (Money(1500, "EUR"), Money(500, "EUR"), 1500),
        (Money(1500, "JPY"), Money(500, "JPY"), 1500),
        (Money(15_600, "KWD"), Money(5_200, "KWD"), 15_600),
        (Money(1500, "ISK"), Money(500, "ISK"), 150_000),
        (Money(15_00, "MGA"), Money(5_00, "MGA"), 15),
    ],
    ids=str,
)
def test_a_purchase_and_its_refunds_in_a_currency_with_other_decimals(
    till: Till, say: Say, price: Money, third: Money, sent: int
) -> None:
    make.product(till.shop, price=price)
    buyer = till.visitor()
    page = buyer.get("/p/book").get_data(as_text=True)
    name = till.begin(buyer)
    session = till.stripe.bank.get("session", name)
    till.stripe.bank.pay(name, email="ada@example.org")
    paid = till.order(name)
    till.stripe.bank.refund(name, to_stripe(third))
    partly = till.order(name)
    till.stripe.bank.refund(name, to_stripe(price - third))
    back = till.order(name)

    say("P12", price=repr(str(price)), sent=session["amount_total"])
    assert format_money(price, "en") in page
    assert (session["amount_total"], session["currency"]) == (
        sent,
        price.currency.lower(),
    )
    assert paid
    assert partly
    assert back
    assert (paid.status, paid.price_minor) == (OrderStatus.PAID, price.minor)
    assert (partly.status, partly.refunded_minor) == (
        OrderStatus.PARTLY_REFUNDED,
        third.minor,
    )
    assert (back.status, back.refunded_minor) == (OrderStatus.REFUNDED, price.minor)
    assert untrue(till.shop) == {}


@pytest.mark.parametrize(
    ("price", "third", "sent"),
    [
        (Money(1500, "EUR"), Money(500, "EUR"), "15.00"),
        (Money(1500, "JPY"), Money(500, "JPY"), "1500"),
        (Money(150_000, "HUF"), Money(50_000, "HUF"), "1500"),
    ],
    ids=str,
)
def test_a_purchase_by_paypal_and_its_refunds_in_a_currency_with_other_decimals(
    paypal_till: Till, say: Say, price: Money, third: Money, sent: str
) -> None:
    till = paypal_till
    make.product(till.shop, price=price)
    name = till.begin(till.visitor())
    [unit] = till.paypal.bank.get("order", name)["purchase_units"]
    till.paypal.bank.pay(name)
    paid = till.order(name)
    till.paypal.bank.refund(name, third.minor)
    partly = till.order(name)
    till.paypal.bank.refund(name)
    back = till.order(name)

    say("P12", price=repr(str(price)), sent=unit["amount"]["value"], provider="paypal")
    assert unit["amount"]["value"] == sent
    assert paid
    assert partly
    assert back
    assert (paid.status, paid.price_minor) == (OrderStatus.PAID, price.minor)
    assert partly.refunded_minor == third.minor
    assert (back.status, back.refunded_minor) == (OrderStatus.REFUNDED, price.minor)
    assert untrue(till.shop) == {}


@pytest.mark.parametrize("room", MONEY_ROOMS, ids=lambda path: path.name)
def test_no_float_and_no_division_touches_money(room: Path) -> None:
    assert list(_inexact(room.read_text())) == []


def test_and_they_would_be_seen() -> None:
    for wrong in ("float(price)", "price / 3", "price /= 3", "price * 0.2"):
        assert list(_inexact(wrong)), wrong


def _inexact(code: str) -> list[str]:
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (
            isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        )
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
