"""Asking the EU's register whether a buyer is the business they say they are."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from handsel.kit.errors import BadInputError
from handsel.models import VatCheck
from handsel.sales import businesses
from handsel.sales.businesses import Business
from handsel.sales.tax import numbers, rates, vies
from handsel.sales.tax.numbers import VatNumber
from handsel.sales.tax.vies import Checked, RegisterUnavailableError
from handsel.settings.tax import TaxSettings
from handsel.shop import Shop

log = logging.getLogger("handsel.tax")

_PLACES = threading.BoundedSemaphore(4)

UNKNOWN_ASKER = "INVALID_REQUESTER_INFO"
"""The register's word for a seller's number that it does not know."""


def business(
    shop: Shop, typed: str, may_ask: Callable[[], None] = lambda: None
) -> Business:
    """Give the business a VAT number belongs to, asking the register if need be.

    No transaction may be open. Raises BadInputError (field `vat_id`) for a number that is
    nobody's, or of the seller's own country, and when the register does not answer.

    Args:
        may_ask: called before the register is asked; what it raises is passed on.
    """
    number = numbers.read(typed)
    _check_abroad(shop, number)
    with shop.reading() as session:
        found = businesses.known(session, number, shop.now())
    if found is None:
        may_ask()
        found = _asked(shop, number)
    if not found.valid:
        raise BadInputError(
            f"The EU's register does not know {number}.",
            "It may be new, or not be for trade with other countries. You can buy "
            "without it, and put it on the invoice later.",
            field="vat_id",
        )
    return Business(found.id, found.number, found.country)


@contextmanager
def _asking() -> Iterator[None]:
    """Hold one of a few places: a register that hangs must not keep buyers from paying."""
    if not _PLACES.acquire(blocking=False):
        raise RegisterUnavailableError("BUSY_HERE")
    try:
        yield
    finally:
        _PLACES.release()


def _check_abroad(shop: Shop, number: VatNumber) -> None:
    if number.country == rates.state(shop.settings.tax.country):
        raise BadInputError(
            f"{number} is of the seller's own country, where {shop.settings.tax.name} is "
            "charged to businesses, too.",
            "Leave the field empty; you can put the number on the invoice later.",
            field="vat_id",
        )


def _asked(shop: Shop, number: VatNumber) -> VatCheck:
    own = _own(shop.settings.tax)
    try:
        with _asking():
            said = _check(shop, number, own)
    except RegisterUnavailableError as error:
        log.warning("The register of VAT numbers said: %s", error.reason)
        raise BadInputError(error.message, error.hint, field="vat_id") from None
    with shop.transaction() as session:
        return businesses.note(session, number, said)


def _check(shop: Shop, number: VatNumber, own: VatNumber | None) -> Checked:
    """Ask in the seller's name; if the register does not know that, in nobody's.

    Then there is no proof of asking, which is for the seller to mend and not the buyer.
    """
    address = shop.settings.tax.vies_base or vies.LIVE
    try:
        return vies.Register(address, own).check(number, shop.now())
    except RegisterUnavailableError as error:
        if own is None or error.reason != UNKNOWN_ASKER:
            raise
    log.warning("tax.number: the EU's register does not know %s.", own)
    return vies.Register(address).check(number, shop.now())


def _own(settings: TaxSettings) -> VatNumber | None:
    """Give the seller's own number, if it is one the register knows of."""
    try:
        return numbers.read(settings.number, settings.country)
    except BadInputError:
        return None
