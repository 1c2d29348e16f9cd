"""Giving money back at the desk: what would happen is said first, then it is done, once."""

from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError, ShopError
from handsel.kit.money import Money
from handsel.models.words import RefundReason
from handsel.ops import refunding
from handsel.ops.desk import order as looking
from handsel.ops.refunding import Done, Plan, Wish
from handsel.sales import orders
from handsel.web.admin.desk import confirmed, desk, done
from handsel.web.admin.order_acts import logged
from handsel.web.admin.orders import money
from handsel.web.pages import page, the_shop

REASONS = (
    (RefundReason.REQUESTED, "The buyer asked for it"),
    (RefundReason.DUPLICATE, "The same was paid twice"),
    (RefundReason.FRAUDULENT, "It was not the card's owner who paid"),
)


@desk.get("/orders/<number>/refund")
def refund_form(number: str) -> Response:
    """Ask how much goes back, and why."""
    return _form(number, {}, {})


def _form(number: str, values: dict[str, str], errors: dict[str, str]) -> Response:
    with the_shop().reading() as session:
        order = orders.by_number(session, number)
        left = looking.left(session, order, orders.facts_of(session, order))
    return page(
        "admin/refund.html",
        422 if errors else 200,
        number=order.number,
        email=order.email or "",
        product=order.product.name,
        test=order.test,
        left=money(left) if left else "",
        currency=left.currency if left else order.currency,
        whole=left.amount if left else "",
        reasons=REASONS,
        form={"values": values, "errors": errors},
        plan=None,
    )


@desk.post("/orders/<number>/refund")
def refund(number: str) -> AnyResponse:
    """Say what would happen; with the button of that page, do it."""
    said = {name: request.form.get(name, "")[:40] for name in _FIELDS}
    doing = bool(said["left"])
    if doing:
        confirmed()
    try:
        plan = refunding.plan(the_shop(), number, _wish(said))
        if not doing:
            return _sure(plan, said)
        _check_unmoved(plan, said["left"])
        amount = str(plan.amount)
        also = logged("order.refund_asked", amount=amount, reason=said["reason"])
        return _done(plan, refunding.refund(the_shop(), plan, also=also))
    except BadInputError as error:
        return _form(number, said, {"amount": error.plain})
    except ShopError as error:
        if error.status == 404:
            raise
        return _form(number, said, {"": error.plain})


_FIELDS = ("amount", "reason", "keep", "left")


def _wish(said: dict[str, str]) -> Wish:
    known = [str(reason) for reason, _ in REASONS]
    reason = said["reason"] if said["reason"] in known else known[0]
    amount = said["amount"].strip() or None
    return Wish(amount, RefundReason(reason), bool(said["keep"]))


def _check_unmoved(plan: Plan, shown: str) -> None:
    """Refuse a second press: what could go back is less by then. Raises ConflictError."""
    if shown != _marked(plan.balance.left) and not plan.before:
        raise ConflictError(
            "The money of this order has moved since you looked. Nothing was asked for now.",
            f"Of it {money(plan.balance.left)} can still go back.",
        )


def _marked(left: Money) -> str:
    return f"{left.minor} {left.currency}"


def _sure(plan: Plan, said: dict[str, str]) -> Response:
    unknown = money(plan.unknown) if plan.unknown else ""
    return page(
        "admin/refund.html",
        number=plan.number,
        email=plan.email or "",
        product=plan.product,
        test=plan.test,
        plan={
            "amount": money(plan.amount),
            "paid": money(plan.balance.paid),
            "whole": plan.amount == plan.balance.paid,
            "opens": plan.opens,
            "held": plan.held,
            "before": bool(plan.before),
            "unknown": unknown,
        },
        fields=_fields(plan, said),
    )


def _fields(plan: Plan, said: dict[str, str]) -> list[tuple[str, Any]]:
    """Give what the button sends: the amount in full, so that it means the same then."""
    return [
        ("amount", said["amount"] and plan.amount.amount),
        ("reason", said["reason"]),
        ("keep", said["keep"]),
        ("left", _marked(plan.balance.left)),
    ]


def _done(plan: Plan, result: Done) -> AnyResponse:
    amount, whom = money(plan.amount), plan.email or "the buyer"
    words = f"{amount} went back to {whom}."
    if not result.gone:
        words = f"{amount} is on its way back to {whom}."
    return done("desk.order", words, number=plan.number)
