"""What a page says of a price: the sale, the coupon, the amounts to choose from."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_date
from flask import g, request, url_for
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ShopError
from handsel.kit.money import Money, format_money, format_rate
from handsel.models import Product
from handsel.ops import vatids
from handsel.sales import checkout, coupons, prices
from handsel.sales.businesses import Business
from handsel.sales.checkout import Offer, Wish
from handsel.shop import Shop
from handsel.web import carried, limits, tested
from handsel.web.pages import own_browser, the_shop

LONGEST = 64


@dataclass(frozen=True)
class Tag:
    """What a product costs this visitor, and what of their wish could not be met."""

    offer: Offer
    refusal: BadInputError | None
    asks_code: bool
    """Whether anybody may have a coupon at all."""


def wished(slug: str = "") -> Wish:
    """Read what this visitor says of the price of a product, from a link or a form."""
    said = request.form if request.method == "POST" else request.args
    other = said.get("other", "")[:LONGEST].strip()
    return Wish(
        coupon=said.get("coupon", "")[:LONGEST].strip(),
        amount=other or said.get("amount", "")[:LONGEST].strip(),
        currency=said.get("currency", "")[:3],
        holder=own_browser(),
        business=_business(),
        promised=tested.promised(slug),
    )


def typed_vat_id() -> str:
    """Give the VAT number that this visitor says is theirs, where that changes a price."""
    if the_shop().settings.tax.mode != "eu":
        return ""
    said = request.form if request.method == "POST" else request.args
    return said.get("vat_id", "")[:LONGEST].strip()


def look_for_business() -> BadInputError | None:
    """Find out whether this visitor is a business, and say why if they are not.

    Asks the EU's register, so no transaction may be open; `wished` knows the answer.
    """
    if "business" not in g:
        g.business, g.no_business = _asked(typed_vat_id())
    found = g.no_business
    assert found is None or isinstance(found, BadInputError)
    return found


def _asked(typed: str) -> tuple[Business | None, BadInputError | None]:
    if not typed:
        return None, None
    try:
        return vatids.business(the_shop(), typed, _may_ask), None
    except BadInputError as error:
        return None, error
    except limits.TooOftenError as error:
        hint = "Try again later, or buy without the number."
        return None, BadInputError(error.message, hint, field="vat_id")


def _may_ask() -> None:
    """Let nobody use the shop to flood the EU's register."""
    limits.hit("vat", most=10, minutes=10)
    limits.hit("vat-shop", most=300, minutes=60, who="shop")


def _business() -> Business | None:
    found = g.get("business")
    assert found is None or isinstance(found, Business)
    return found


def tag(session: Session, found: Product, refused: BadInputError | None = None) -> Tag:
    """Work out the price; a wish that cannot be met is left out, and said.

    `refused`: why it could not be met when it came to it, if that was so.
    """
    shop, wish = the_shop(), wished(found.slug)
    asks = bool(wish.coupon or refused) or coupons.any_now(session, shop.now())
    refusal = refused
    if refused is None or refused.field == "vat_id":
        try:
            return Tag(_offered(session, shop, found, wish), refused, asks)
        except BadInputError as error:
            refusal = error
    for said in _less(wish, refusal):
        with suppress(BadInputError):
            return Tag(_offered(session, shop, found, said), refusal, asks)
    raise AssertionError("without any wish there is an offer")


def _less(wish: Wish, refusal: BadInputError | None) -> list[Wish]:
    """Leave out what was refused, and if that is not enough everything but the currency."""
    without = {"coupon": replace(wish, coupon=""), "amount": replace(wish, amount="")}
    rest = replace(wish, coupon="", amount="", holder=None)
    return [without.get(refusal.field, wish) if refusal else wish, rest]


def _offered(session: Session, shop: Shop, found: Product, wish: Wish) -> Offer:
    return checkout.offered(session, found, wish, units=shop.units, now=shop.now())


def described(found: Product, shown: Tag) -> dict[str, Any]:
    """Give what the templates of a product and of buying it need."""
    offer, refusal = shown.offer, shown.refusal
    lowered = offer.coupon or offer.business
    return {
        "price": price(offer.price) if lowered or not found.open_price else "",
        "old_price": _old(offer),
        "tax_note": tax_note(offer),
        "price_note": sale_note(found, the_shop().now()),
        "free": not offer.price.minor and not found.open_price,
        "open_price": open_price(found, offer, refusal) if found.open_price else None,
        "coupon": _coupon(offer, refusal, shown.asks_code),
        "business": _as_business(offer, refusal),
        "currencies": _currencies(found, offer),
    }


def _currencies(found: Product, offer: Offer) -> list[dict[str, Any]]:
    """Give the currencies to choose from, where there are several."""
    codes = [each.usual.currency for each in prices.every(found)]
    address = url_for("storefront.product", slug=found.slug)
    return [
        {
            "code": code,
            "url": carried.on(address, offer.wish | {"currency": code}),
            "current": code == offer.price.currency,
        }
        for code in codes
        if len(codes) > 1
    ]


def card(found: Product, family: Sequence[Product] = ()) -> dict[str, Any]:
    """Give what a list says of the price; nobody's coupon counts there.

    Of several editions the least price is said, if they have one currency.
    """
    now = the_shop().now()
    least = [prices.current(each, now) for each in family]
    if len(least) > 1 and len({each.currency for each in least}) == 1:
        return {"price": f"from {price(min(least))}", "old_price": "", "free": False}
    usual, current = prices.of(found, now).usual, prices.current(found, now)
    promised = tested.promised(found.slug)
    if promised and promised.price.currency == usual.currency and not found.open_price:
        usual = current = promised.price
    return {
        "price": _open_words(usual) if found.open_price else price(current),
        "old_price": price(usual) if current != usual else "",
        "free": not found.open_price and not current.minor,
    }


def tax_note(offer: Offer) -> str:
    """Say that tax is in the price, and which where it is the same for everybody."""
    tax = the_shop().settings.tax
    if offer.business:
        return f"Without {tax.name}: reverse charge"
    if tax.mode == "none" or not (offer.price.minor or offer.chosen):
        return ""
    if tax.mode != "flat":
        return f"Including {tax.name}, where it is due"
    rate = format_rate(tax.basis_points, the_shop().settings.shop.locale)
    return f"Including {rate} {tax.name}"


def price(money: Money) -> str:
    """Write a price as people of the shop's language do."""
    if not money.minor:
        return "Free"
    return format_money(money, the_shop().settings.shop.locale)


def shown_price(text: str, now: Money) -> Money:
    """Read the price that a form was shown with; what nobody wrote counts as `now`."""
    minor, _, currency = text.partition(" ")
    if not minor.isascii() or not minor.isdigit() or currency != now.currency:
        return now
    return Money(int(minor[:12]), currency)


def _open_words(least: Money) -> str:
    return f"{price(least)} or more" if least.minor else "Pay what you want"


def _old(offer: Offer) -> str:
    return price(offer.quote.usual) if offer.price != offer.quote.usual else ""


def sale_note(found: Product, now: datetime) -> str:
    """Say which day is the last of a sale, by the clock of this machine.

    Nothing when there is no sale, or no end of it.
    """
    if prices.of(found, now).sale is None or found.sale_ends_at is None:
        return ""
    locale = the_shop().settings.shop.locale.replace("-", "_")
    last = (found.sale_ends_at - timedelta(seconds=1)).astimezone()
    return f"Until {format_date(last, 'long', locale=locale)}"


def open_price(
    found: Product, offer: Offer, refusal: BadInputError | None
) -> dict[str, Any]:
    """Give the amounts to choose from, and the one that is chosen."""
    amounts = prices.suggested(found)
    chosen, wrong = offer.chosen, refusal and refusal.field == "amount"
    typed = wished().amount if wrong else ""
    if chosen and chosen not in amounts and not wrong:
        typed = chosen.amount
    return {
        "words": _open_words(prices.every(found)[0].usual),
        "currency": found.currency,
        "suggestions": [
            {
                "value": each.amount,
                "label": price(each),
                "chosen": each == chosen and not wrong,
            }
            for each in amounts
        ],
        "other": typed,
        "error": _said(refusal) if wrong else "",
    }


def _coupon(
    offer: Offer, refusal: BadInputError | None, asks: bool
) -> Mapping[str, Any]:
    wrong = refusal is not None and refusal.field == "coupon"
    return {
        "asked": asks,
        "code": offer.coupon.code if offer.coupon else "",
        "typed": wished().coupon if wrong else "",
        "error": _said(refusal) if wrong else "",
        "saved": price(offer.quote.discount) if offer.coupon else "",
    }


def _as_business(offer: Offer, refusal: BadInputError | None) -> Mapping[str, Any]:
    wrong = refusal is not None and refusal.field == "vat_id"
    pays = bool(offer.price.minor or offer.chosen)
    return {
        "asked": the_shop().settings.tax.mode == "eu" and pays,
        "number": offer.business.number if offer.business else "",
        "tax": the_shop().settings.tax.name,
        "saved": price(offer.quote.relief) if offer.business else "",
        "typed": typed_vat_id() if wrong else "",
        "error": _said(refusal) if wrong else "",
    }


def _said(error: ShopError | None) -> str:
    return str(error) if error else ""
