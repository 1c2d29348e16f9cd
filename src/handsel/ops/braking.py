"""Letting payments begin, or not yet: against people who try stolen cards."""

import logging
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from handsel.kit.errors import ShopError
from handsel.models import Order
from handsel.models.turns import DatabaseBusyError
from handsel.ops import beginning
from handsel.sales import brake, checks, starts
from handsel.sales.starts import Who
from handsel.shop import Shop

log = logging.getLogger("handsel.brake")

MOST_ENDED = 20
"""So many payments the worker ends in one round."""


class Why(StrEnum):
    """Why a buyer is asked to open a mail first."""

    BRAKE = "brake"  # stolen cards are tried with this product
    CROWD = (
        "crowd"  # too many payments were begun where they are, and none of them paid
    )


def let_in(
    shop: Shop, product_id: int, purchase: str, who: Who, proof: int | None
) -> Why | None:
    """Write down that a payment begins; else say why its buyer is asked first.

    Args:
        purchase: its key; what was let in once is let in again.
        proof: the check whose mail the buyer has opened.

    If it cannot be counted, buyers may pass.
    """
    now = shop.now()
    try:
        with shop.transaction() as session:
            if starts.is_known(session, purchase):
                return None
            why = reason(session, shop, product_id, who)
            proven = proof is not None and checks.spend(session, proof, product_id, now)
            if why and not proven:
                return why
            starts.add(session, purchase, who, now, proven=proven)
    except (SQLAlchemyError, DatabaseBusyError):
        log.exception("A payment that begins could not be counted; letting it pass.")
    return None


def reason(session: Session, shop: Shop, product_id: int, who: Who) -> Why | None:
    """Say whether a buyer is asked to open a mail first, and why; may write."""
    if brake.is_on(session, product_id, shop.now()):
        return Why.BRAKE
    return Why.CROWD if starts.too_many(session, who, shop.now()) else None


def make_room(shop: Shop, who: Who) -> None:
    """End the oldest payments a browser has open, so that it may begin one more.

    Somebody with many windows open pays in one of the last. Of a provider that does not
    answer nothing is ended: no buyer has to wait for that.
    """
    if who.browser is None:
        return
    with shop.reading() as session:
        found = starts.open_payments(session, who.browser, shop.now())
    for order in found[: len(found) - starts.MOST_OPEN + 1]:
        end(shop, order)


def end_much_tried(shop: Shop) -> None:
    """End payments in which one card after the other is declined; for the worker."""
    with shop.reading() as session:
        found = brake.much_tried(session, shop.now(), most=MOST_ENDED)
    for order in found:
        if end(shop, order):
            log.warning(
                "Ended the payment of %s: cards were tried in it.", order.number
            )


def end(shop: Shop, order: Order) -> bool:
    """End a payment that nobody has paid; say whether its provider could be asked."""
    if order.provider not in shop.providers:
        return False
    try:
        beginning.end(shop, order)
    except ShopError as error:
        log.warning("The payment of %s could not be ended: %s", order.number, error)
        return False
    return True
