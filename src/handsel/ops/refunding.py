"""Giving money back: written down, made at the provider, heard of like any other refund."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from handsel.kit.errors import BadInputError, ConflictError, ShopError
from handsel.kit.money import Money, parse_money
from handsel.models.words import RefundReason
from handsel.sales import orders, refunds, report
from handsel.sales.payments.base import ProviderUnavailableError
from handsel.sales.refunds import Asked
from handsel.shop import Shop

log = logging.getLogger("handsel.refunds")

OWN_TIME = timedelta(minutes=1)
"""How long whoever asked may take before a worker carries it on."""


@dataclass(frozen=True)
class Plan:
    """A refund that may be asked for.

    `paid` and `refunded` are how the order stands now; `whole`: nothing is left then.
    """

    number: str
    email: str | None
    product: str
    amount: Money
    paid: Money
    refunded: Money
    test: bool

    @property
    def whole(self) -> bool:
        """Say whether all that was paid has gone back then."""
        return self.amount + self.refunded == self.paid


def plan(shop: Shop, number: str, amount: str | None) -> Plan:
    """Ask the provider how a payment stands, and say what could be refunded.

    Args:
        amount: `5`, `5.00`; None for all that is left.

    A refund that was asked for before and not finished is finished first. Raises
    NotFoundError, BadInputError, ConflictError, ProviderUnavailableError.
    """
    _finish_first(shop, number)
    _hear(shop, number)
    with shop.reading() as session:
        order = orders.by_number(session, number)
        there = refunds.left(order, orders.facts_of(session, order))
        wanted = _amount(amount, there)
        refunds.check(order, there, wanted)
        paid = Money(order.refunded_minor + there.minor, order.currency)
        return Plan(
            order.number,
            order.email,
            order.product.name,
            wanted,
            paid,
            Money(order.refunded_minor, order.currency),
            order.test,
        )


def _amount(text: str | None, there: Money) -> Money:
    if text is None:
        return there
    wanted = parse_money(text, there.currency)
    if wanted.currency != there.currency:
        raise BadInputError(
            f"This order was paid in {there.currency}, not in {wanted.currency}.",
            f"Write the amount in {there.currency}.",
            field="amount",
        )
    return wanted


def _finish_first(shop: Shop, number: str) -> None:
    with shop.reading() as session:
        order = orders.by_number(session, number)
        pending = refunds.asked(session, order_id=order.id)
    for each in pending:
        carry_out(shop, each)
        raise ConflictError(
            f"A refund of {each.wanted.amount} that was asked for before is made now.",
            f"`handsel order show {each.number}` shows it. Ask again for another one.",
        )


def _hear(shop: Shop, number: str) -> None:
    """Learn of refunds made in the provider's panel; what was free has no provider."""
    with shop.reading() as session:
        order = orders.by_number(session, number)
    if order.price_minor:
        shop.hear(order.provider, order.session_id)


def refund(
    shop: Shop, plan: Plan, reason: RefundReason, *, keep_access: bool
) -> dict[str, Any]:
    """Give the money of a plan back; give its order as it stands then.

    It may still be as before: some refunds are on their way for days.

    Raises ConflictError when the order has changed since, or the provider refuses;
    ProviderUnavailableError when nobody knows yet: the worker finishes it.
    """
    with shop.transaction() as session:
        order = orders.by_number(session, plan.number, to_change=True)
        there = refunds.left(order, orders.facts_of(session, order))
        refunds.check(order, there, plan.amount)
        wanted = refunds.ask(
            session, order, plan.amount, reason, shop.now(), keep_access=keep_access
        )
    carry_out(shop, wanted)
    return _facts(shop, plan.number)


def carry_out(shop: Shop, wanted: Asked) -> None:
    """Make a refund that was written down, and hear of it. Safe to repeat, and to race.

    Raises what the provider says; unless it is away, that ends the refund.
    """
    provider = shop.provider(wanted.provider)
    try:
        with shop.calling():
            name = provider.refund(wanted.session_id, wanted.wanted, shop.now())
    except ProviderUnavailableError as error:
        raise ProviderUnavailableError(
            f"{wanted.provider} does not answer, so nobody knows yet whether the money "
            f"of {wanted.number} goes back.",
            "It is written down: the worker asks again every minute, and gives it back "
            "once.",
        ) from error
    except ShopError as error:
        with shop.transaction() as session:
            refunds.refuse(session, wanted.id, str(error))
        raise
    with shop.transaction() as session:
        refunds.made(session, wanted.id, name)
    try:
        shop.hear(wanted.provider, wanted.session_id)
    except ProviderUnavailableError:  # the reconciler asks again in three minutes
        log.warning(
            "%s is refunded; how it stands now is not known yet.", wanted.number
        )


def finish(shop: Shop) -> None:
    """Carry on what was asked for and not finished; for the worker.

    After 20 hours it is given up: a provider may have forgotten its key by then, and
    would give the money back twice.
    """
    now = shop.now()
    with shop.reading() as session:
        pending = refunds.asked(session)
    for each in pending:
        if now - each.asked_at > refunds.FORGOTTEN:
            _give_up(shop, each)
        elif now - each.asked_at > OWN_TIME:
            try:
                carry_out(shop, each)
            except ShopError as error:
                log.warning("The refund of %s is not made yet: %s", each.number, error)


def _give_up(shop: Shop, each: Asked) -> None:
    error = (
        f"{each.provider} did not answer for 20 hours, so nobody knows whether the "
        "money went back: look at the payment in its dashboard."
    )
    log.error("The refund of %s: %s", each.number, error)
    with shop.transaction() as session:
        refunds.refuse(session, each.id, error)


def _facts(shop: Shop, number: str) -> dict[str, Any]:
    with shop.reading() as session:
        order = orders.by_number(session, number)
        return report.facts(session, shop.keys, shop.settings.public_url, order)
