"""Prices as a seller types them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money, parse_money
from handsel.sales.asking import Asking
from handsel.sales.payments.base import PaymentProvider
from handsel.sales.payments.units import check
from handsel.sales.prices import Price
from handsel.shop import Shop


def asked(shop: Shop, price: str, **more: Any) -> Asking:
    """Read what is asked for a new product; as `changed`."""
    return changed(shop, Asking(price_in(shop, price)), **more)


def changed(
    shop: Shop,
    before: Asking,
    *,
    price: str | None = None,
    also: Sequence[str] = (),
    only_currency: bool = False,
    sale: Sequence[str] = (),
    sale_until: datetime | None = None,
    no_sale: bool = False,
    open_price: bool | None = None,
    suggest: Sequence[str] = (),
) -> Asking:
    """Give the price as it is after some of it was said anew; None and () leave it.

    Args:
        also: prices in other currencies.
        only_currency: whether those there were are forgotten.
        sale: the price of these days; in the first currency first.

    Raises BadInputError.
    """
    if only_currency:
        before = replace(before, also=())
    over = before.sale_ends_at is not None and before.sale_ends_at <= shop.now()
    if no_sale or over:
        before = _without_sale(before)
    if open_price is False:
        before = replace(before, open_price=False, suggestions=())
    code = before.price.currency
    lower = price_in(shop, sale[0], code) if sale else None
    if price is not None:
        new_price = price_in(shop, price, code)
        before = replace(before, price=new_price, sale=lower or before.sale)
    new: dict[str, Any] = {
        "sale_ends_at": _to_come(shop, sale_until),
        "open_price": open_price,
        "suggestions": tuple(price_in(shop, each, code) for each in suggest) or None,
        "also": _also(shop, before, also, sale),
        "sale": lower,
    }
    return replace(before, **{key: v for key, v in new.items() if v is not None})


def words(shop: Shop, asked: Asking) -> str:
    """Write a price as the seller has it: `€15.00`, `€15.00, now €9.99 until ...`."""
    locale = shop.settings.shop.locale
    every = (asked.price, *(each.usual for each in asked.also))
    found = " or ".join(format_money(each, locale) for each in every)
    if asked.open_price:
        return f"{found} or more"
    if asked.sale is None or (asked.sale_ends_at and asked.sale_ends_at <= shop.now()):
        return found
    until = (
        f" until {asked.sale_ends_at:%Y-%m-%d %H:%M} UTC" if asked.sale_ends_at else ""
    )
    return f"{found}, now {format_money(asked.sale, locale)}{until}"


def _without_sale(before: Asking) -> Asking:
    also = tuple(Price(each.usual) for each in before.also)
    return replace(before, sale=None, sale_ends_at=None, also=also)


def _also(
    shop: Shop, before: Asking, also: Sequence[str], sale: Sequence[str]
) -> tuple[Price, ...]:
    """Give the prices in other currencies: those there were, and those said now."""
    found = {each.usual.currency: each for each in before.also}
    for usual in (price_in(shop, each) for each in also):
        old = found.get(usual.currency, Price(usual))
        found[usual.currency] = Price(usual, old.sale)
    for lower in (price_in(shop, each) for each in sale[1:]):
        if lower.currency not in found:
            raise BadInputError(
                f"There is no price in {lower.currency} to be lower than.",
                f'Say one: --also "... {lower.currency}".',
            )
        found[lower.currency] = Price(found[lower.currency].usual, lower)
    return tuple(found.values())


def _to_come(shop: Shop, end: datetime | None) -> datetime | None:
    if end is not None and end <= shop.now():
        raise BadInputError(
            "The sale would be over already.", "Give an end that is still to come."
        )
    return end


def price_in(shop: Shop, text: str, currency: str = "") -> Money:
    """Read a price, and refuse what no provider in use could charge.

    A number alone is in this currency; if none is said, in the shop's.
    """
    price = parse_money(text, currency or shop.settings.shop.currency)
    if price.minor:
        check_price(shop, price)
    return price


def check_price(shop: Shop, price: Money) -> None:
    """Refuse a price that none of the shop's providers can charge.

    Raises BadInputError, in the words of the first of them.
    """
    # Pretend money has every coin: it must not hide what the real one lacks.
    real = [each for name, each in shop.providers.items() if name != "test"]
    refusals = [_refusal(each, price) for each in real]
    if refusals and all(refusals):
        raise next(error for error in refusals if error)


def _refusal(provider: PaymentProvider, price: Money) -> BadInputError | None:
    try:
        check(provider.units(price.currency), price)
    except BadInputError as error:
        return error
    return None
