"""Giving money back: what could go back, asked of the provider; then asked for, once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money, parse_money
from handsel.models import Order
from handsel.models.words import RefundReason, RefundState
from handsel.ops import carrying
from handsel.ops.giving import Also, nothing
from handsel.sales import balance, orders, refunds, report
from handsel.sales.balance import Balance
from handsel.sales.payments.base import Fact, ProviderUnavailableError
from handsel.sales.refunds import Asked
from handsel.shop import Shop


@dataclass(frozen=True)
class Wish:
    """What the seller wants to give back: `amount` as typed, None for all that is left."""

    amount: str | None = None
    reason: RefundReason = RefundReason.REQUESTED
    keep_access: bool = False


@dataclass(frozen=True)
class Plan:
    """A refund that may be asked for.

    Args:
        balance: how the order stands now.
        opens: whether the files are open afterwards.
        held: whether the order is held back, so that it was never opened.
        before: the same refund, asked for before by somebody who never heard the end.
        unknown: what was asked for last, when nobody knows what has become of it.
    """

    number: str
    email: str | None
    product: str
    amount: Money
    wish: Wish
    balance: Balance
    opens: bool
    held: bool
    test: bool
    before: Asked | None
    unknown: Money | None


@dataclass(frozen=True)
class Done:
    """A refund that was made. `gone`: the money left already; some take days.

    `order` is how the order stands now, as `order show --json` has it.
    """

    gone: bool
    order: dict[str, Any]


def plan(shop: Shop, number: str, wish: Wish) -> Plan:
    """Ask the provider how a payment stands, and say what could be refunded.

    The same refund that was asked for before and never answered is that one, not another.
    Any other that is not finished is finished first. Raises NotFoundError, BadInputError,
    ConflictError, ProviderUnavailableError.
    """
    _hear(shop, number)
    with shop.reading() as session:
        order = orders.by_number(session, number)
        facts = orders.facts_of(session, order)
        underway = refunds.underway(session, order, facts)
        last = refunds.latest(session, order)
    there = balance.balance(order, facts, underway)
    wish = _sensible(wish, there)
    before = _before(last, wish, there)
    if before is None and last and last.state is RefundState.ASKED:
        _finish_first(shop, last)
    if before is None:
        _check(shop, order, there, wish)
    return _plan(order, facts, wish, there, before, last)


def _hear(shop: Shop, number: str) -> None:
    """Learn of refunds made in the provider's panel; what was free has no provider."""
    with shop.reading() as session:
        order = orders.by_number(session, number)
    if order.price_minor:
        carrying.provider_of(shop, order.number, order.provider)
        try:
            shop.hear(order.provider, order.session_id)
        except ProviderUnavailableError as error:
            raise ProviderUnavailableError(
                f"{order.provider} does not answer, so nothing was asked for now.",
                "Please try again in a minute.",
            ) from error


def _sensible(wish: Wish, there: Balance) -> Wish:
    """Keep the files for the refund that leaves nothing; a part leaves them open anyway.

    So a later refund of the rest closes them, unless that one is to keep them.
    """
    if wish.amount is None or not _amount(wish, there) < there.left:
        return wish
    return replace(wish, keep_access=False)


def _before(last: Asked | None, wish: Wish, there: Balance) -> Asked | None:
    """Give the same refund, if it was asked for before and nobody heard the end of it."""
    if last is None or last.answered or last.state not in _MAY_REPEAT:
        return None
    made = last.state is RefundState.MADE
    whole = Money(0, there.paid.currency) if made else last.wanted.amount
    same = (
        there.left == whole
        if wish.amount is None
        else _amount(wish, there) == last.wanted.amount
    )
    told = (last.wanted.reason, last.keep_access) == (wish.reason, wish.keep_access)
    return last if same and told else None


_MAY_REPEAT = (RefundState.ASKED, RefundState.MADE)


def _finish_first(shop: Shop, last: Asked) -> None:
    carrying.carry_out(shop, last)
    raise ConflictError(
        f"A refund of {last.wanted.amount} that was asked for before is made now.",
        f"`handsel order show {last.number}` shows it. Ask again for another one.",
    )


def _check(shop: Shop, order: Order, there: Balance, wish: Wish) -> None:
    amount = _amount(wish, there)
    balance.check(order, there, amount)
    if order.review_reason is not None and wish.keep_access:
        raise ConflictError(
            f"Order {order.number} is held back and was never opened: there is nothing to "
            "keep.",
            f"Leave --keep-access out, or first: handsel order accept {order.number}",
        )
    provider = carrying.provider_of(shop, order.number, order.provider)
    provider.check_refund(amount)


def _amount(wish: Wish, there: Balance) -> Money:
    if wish.amount is None:
        return there.left
    currency = there.paid.currency
    wanted = parse_money(wish.amount, currency)
    if wanted.currency != currency:
        raise BadInputError(
            f"This order was paid in {currency}, not in {wanted.currency}.",
            f"Write the amount in {currency}.",
            field="amount",
        )
    return wanted


def _plan(
    order: Order,
    facts: Sequence[Fact],
    wish: Wish,
    there: Balance,
    before: Asked | None,
    last: Asked | None,
) -> Plan:
    amount = before.wanted.amount if before else _amount(wish, there)
    lost = last if last and last.state is RefundState.UNKNOWN else None
    return Plan(
        number=order.number,
        email=order.email,
        product=order.product.name,
        amount=amount,
        wish=wish,
        balance=there,
        opens=balance.opens_after(order, facts, amount, keep_access=wish.keep_access),
        held=order.review_reason is not None,
        test=order.test,
        before=before,
        unknown=lost.wanted.amount if lost else None,
    )


def check_unattended(plan: Plan) -> None:
    """Let no script ask anew for what may have gone back. Raises ConflictError."""
    if plan.unknown:
        raise ConflictError(
            f"Nobody knows whether {plan.unknown} of {plan.number} went back before: its "
            "provider never said.",
            "Look at the payment in its dashboard, then ask again without --yes.",
        )


def refund(shop: Shop, plan: Plan, *, also: Also = nothing) -> Done:
    """Give the money of a plan back.

    Args:
        also: what else belongs into the transaction in which it is asked for.

    Raises ConflictError when the order has changed since, or the provider refuses;
    ProviderUnavailableError when nobody knows yet: the worker finishes it.
    """
    wanted = plan.before or _ask(shop, plan, also)
    carrying.carry_out(shop, wanted)
    with shop.transaction() as session:
        refunds.answer(session, wanted.id)
    with shop.reading() as session:
        order = orders.by_number(session, plan.number)
        facts = orders.facts_of(session, order)
        return Done(
            refunds.has_gone(session, wanted.id, facts),
            report.facts(session, shop.keys, shop.settings.public_url, order),
        )


def _ask(shop: Shop, plan: Plan, also: Also) -> Asked:
    """Write the refund down, unless the order stands otherwise than in the plan."""
    with shop.transaction() as session:
        order = orders.by_number(session, plan.number, to_change=True)
        facts = orders.facts_of(session, order)
        underway = refunds.underway(session, order, facts)
        there = balance.balance(order, facts, underway)
        held = order.review_reason is not None
        if (there, held) != (plan.balance, plan.held):
            raise ConflictError(
                f"The money of order {plan.number} has moved since you looked.",
                f"Look at `handsel order show {plan.number}`, and ask again.",
            )
        wanted = refunds.request(plan.amount, plan.wish.reason)
        keep = plan.wish.keep_access
        also(session, order)
        return refunds.ask(session, order, wanted, shop.now(), keep_access=keep)
