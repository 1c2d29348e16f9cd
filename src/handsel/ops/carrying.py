"""Carrying refunds out that were written down: each is made once, or not at all.

Before the provider is asked, the call is counted; after an answer that got lost only the
provider's word ends a refund, and its facts say most: they bear our key.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, ShopError
from handsel.models.words import RefundState
from handsel.outbound import emails
from handsel.sales import orders, refunds
from handsel.sales.payments.base import PaymentProvider, ProviderUnavailableError
from handsel.sales.refunds import Asked
from handsel.shop import Shop

log = logging.getLogger("handsel.refunds")

OWN_TIME = timedelta(minutes=1)
"""How long whoever asked may take before a worker carries it on."""


def provider_of(shop: Shop, number: str, name: str) -> PaymentProvider:
    """Give the provider an order was paid by. Raises ConflictError when it is not in use."""
    if name not in shop.providers:
        raise ConflictError(
            f"{number} was paid by {name}, which is not in payments.enabled.",
            "Put it back, or refund in its dashboard.",
        )
    return shop.provider(name)


def carry_out(shop: Shop, wanted: Asked, *, alone: bool = False) -> None:
    """Make a refund that was written down, and hear of it. Safe to repeat, and to race.

    Args:
        alone: nobody reads what goes wrong, so the seller gets a mail.

    Raises ConflictError when it will not be made, or nobody knows and it is too late to
    ask; ProviderUnavailableError when it is asked for again; what the provider says.
    """
    provider = provider_of(shop, wanted.number, wanted.provider)
    if not wanted.is_fresh(shop.now()):
        _give_up(shop, wanted)
        return
    with shop.transaction() as session:
        tries = refunds.begin(session, wanted.id)
    if not tries:
        _say_how_it_ended(shop, wanted)
        return
    try:
        with shop.calling():
            name = provider.refund(wanted.session_id, wanted.wanted, shop.now())
    except ProviderUnavailableError as error:
        raise _unsure(wanted) from error
    except ShopError as error:
        _refused(shop, wanted, error, tries, alone=alone)
        return
    with shop.transaction() as session:
        orders.refund_made(session, wanted.number, wanted.id, name, shop.now())
    _hear(shop, wanted)


def _unsure(wanted: Asked) -> ProviderUnavailableError:
    return ProviderUnavailableError(
        f"{wanted.provider} does not answer, so nobody knows yet whether the money of "
        f"{wanted.number} goes back.",
        "It is written down: the worker asks again every minute, and gives it back once.",
    )


def _hear(shop: Shop, wanted: Asked) -> bool:
    """Learn how the payment stands; say whether the provider told it."""
    try:
        shop.hear(wanted.provider, wanted.session_id)
    except ShopError as error:  # the reconciler asks again in three minutes
        log.warning("How %s stands is not known now: %s", wanted.number, error)
        return False
    return True


def _refused(
    shop: Shop, wanted: Asked, error: ShopError, tries: int, *, alone: bool
) -> None:
    """End a refund the provider refuses, unless a call before may have been taken on.

    A conflict is said of the money itself, so it counts as soon as the facts are heard;
    anything else, such as a key that may not do this, says nothing of earlier calls.
    """
    heard = _hear(shop, wanted)
    sure = heard and isinstance(error, ConflictError)
    with shop.transaction() as session:
        if sure or tries == 1:
            only = None if sure else tries
            ended = refunds.refuse(session, wanted.id, str(error), tries=only)
            if ended and alone:
                _tell(session, wanted, shop.now())
    if _now(shop, wanted).state is not RefundState.MADE:
        raise error


def _give_up(shop: Shop, wanted: Asked) -> None:
    """End a refund whose key may be forgotten: asked for anew, it would be made twice."""
    _hear(shop, wanted)
    error = (
        f"{wanted.provider} did not say for 20 hours what has become of it, so nobody "
        "knows whether the money went back: look at the payment in its dashboard."
    )
    untried = "The shop never came to ask for it, so no money went back."
    with shop.transaction() as session:
        if refunds.refuse(session, wanted.id, untried, tries=0) or refunds.give_up(
            session, wanted.id, error
        ):
            _tell(session, wanted, shop.now())
    _say_how_it_ended(shop, wanted)


def _tell(session: Session, wanted: Asked, now: datetime) -> None:
    """Mail the seller that a refund has ended without money, or that nobody knows."""
    order = orders.by_number(session, wanted.number)
    ended = refunds.by_id(session, wanted.id)
    asked = ended.wanted
    log.error("The refund of %s is %s: %s", ended.number, ended.state, ended.error)
    about = emails.Ended(str(ended.state), ended.keep_access, ended.error)
    emails.refund_failed(session, order, asked.key, asked.amount, about, now)


def _now(shop: Shop, wanted: Asked) -> Asked:
    with shop.reading() as session:
        return refunds.by_id(session, wanted.id)


def _say_how_it_ended(shop: Shop, wanted: Asked) -> None:
    """Raise ConflictError unless a refund was made after all."""
    ended = _now(shop, wanted)
    if ended.state is RefundState.MADE:
        return
    raise ConflictError(
        f"The refund of {ended.wanted.amount} of {ended.number} has ended. {ended.error}",
        f"`handsel order show {ended.number}` shows all of it.",
    )


def finish(shop: Shop) -> None:
    """Carry on what was asked for and not finished; for the worker."""
    now = shop.now()
    with shop.reading() as session:
        pending = refunds.asked(session)
    for each in pending:
        if abs(now - each.asked_at) <= OWN_TIME:
            continue
        try:
            carry_out(shop, each, alone=True)
        except ShopError as error:
            log.warning("The refund of %s is not made yet: %s", each.number, error)
        except Exception:  # one that cannot be made must not hold up the others
            log.exception("The refund of %s failed; it comes again.", each.number)
