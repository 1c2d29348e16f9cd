"""The pages of the built-in test provider: no real card, no real money, always said so."""

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.money import format_money
from handsel.models.words import PaymentState
from handsel.sales.payments.test import Outcome, PayPage, Result, TestProvider
from handsel.sales.payments.testcards import TEST_CARDS
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop

blueprint = Blueprint("testpay", __name__)
guard(blueprint, Policy("a buyer with test money", secret=True))

FIELDS = ("email", "number", "expiry", "cvc")


def _bank() -> TestProvider:
    return cast(TestProvider, the_shop().provider("test"))


@blueprint.get("/testpay/<session>")
def pay_page(session: str) -> AnyResponse:
    """Show the four fields, or the bank's question, or where the payment has gone."""
    found = _bank().page(session, the_shop().now())
    if found.asks:
        return _question(found)
    if found.state is PaymentState.OPEN:
        return _form(found, {"email": found.email or ""}, {})
    if found.state in (PaymentState.COMPLETE, PaymentState.PROCESSING):
        return redirect(found.return_url, 303)
    return redirect(found.cancel_url, 303)


@blueprint.post("/testpay/<session>")
def pay(session: str) -> AnyResponse:
    """Pay with what was typed; everything but the CVC is kept when that fails."""
    shop = the_shop()
    found = _bank().page(session, shop.now())
    typed = {name: request.form.get(name, "")[:300] for name in FIELDS}
    try:
        outcome = _bank().submit(session, **typed, now=shop.now())
    except BadInputError as error:
        return _form(found, typed | {"cvc": ""}, {error.field: str(error)})
    return _go_on(found, outcome, typed | {"cvc": ""})


@blueprint.post("/testpay/<session>/answer")
def answer(session: str) -> AnyResponse:
    """Hear the answer to the bank's question (3-D Secure)."""
    shop = the_shop()
    found = _bank().page(session, shop.now())
    passed = request.form.get("answer") == "approve"
    outcome = _bank().answer_3ds(session, passed=passed, now=shop.now())
    return _go_on(found, outcome, {"email": found.email or ""})


def _go_on(found: PayPage, outcome: Outcome, typed: Mapping[str, str]) -> AnyResponse:
    if outcome.result is Result.CONFIRM:
        return _question(found)
    if outcome.url:
        return redirect(outcome.url, 303)
    if outcome.result is Result.DECLINED:  # a real provider would send a message
        the_shop().hear("test", found.session_id)
    return _form(found, typed, {"": f"{outcome.message} {outcome.hint}"})


def _form(
    found: PayPage, values: Mapping[str, str], errors: Mapping[str, str]
) -> Response:
    blank = dict.fromkeys(FIELDS, "")
    return page(
        "testpay.html",
        422 if errors else 200,
        payment=_payment(found, url_for("testpay.pay", session=found.session_id)),
        form={"values": blank | dict(values), "errors": errors, "suggestion": ""},
        cards=[
            {"number": card.spaced, "what": card.what_happens} for card in TEST_CARDS
        ],
        hidden={},
    )


def _question(found: PayPage) -> Response:
    action = url_for("testpay.answer", session=found.session_id)
    return page("testpay_3ds.html", payment=_payment(found, action), hidden={})


def _payment(found: PayPage, action: str) -> dict[str, str]:
    settings = the_shop().settings.shop
    return {
        "title": found.title,
        "amount": format_money(found.price, settings.locale),
        "seller": settings.name,
        "action": action,
        "cancel_url": found.cancel_url,
    }
