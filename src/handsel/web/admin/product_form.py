"""The form of a product: what it shows, and what of it was typed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from handsel.delivery.storage.uploads import Upload
from handsel.kit.errors import BadInputError, ShopError
from handsel.kit.moments import read_end
from handsel.kit.money import parse_money
from handsel.models import Product
from handsel.models.words import TaxClass
from handsel.ops import pricing, shelving, wording
from handsel.sales import asking, marks
from handsel.sales.asking import Asking
from handsel.sales.prices import Price
from handsel.shop import Shop

T = TypeVar("T")
SPARE_PRICES = 2
"""Empty lines for prices in other currencies."""
LONGEST = 100_000
"""Letters of a description."""
NO_COVER = "none"
"""What is chosen to take away a cover; no upload is called so."""
NAMES = {
    "name": "Name",
    "description": "Description",
    "price": "Price",
    "open_price": "Buyers say what they pay",
    "suggest": "Amounts to choose from",
    "sale": "Sale price",
    "sale_until": "End of the sale",
    "also": "Prices in other currencies",
    "limit": "Downloads of each file",
    "tax_class": "Tax class",
    "contains": "What is in the bundle",
    "family": "Family",
    "edition": "Edition",
    "button": "Words on the button",
    "template": "Template",
}
"""What people call the fields, in the order of the page."""


@dataclass(frozen=True)
class Form:
    """A form as its template shows it.

    `also` are the lines of other currencies: the usual price, and that of the sale.
    """

    values: dict[str, str]
    also: Sequence[tuple[str, str]] = ()
    contains: Sequence[str] = ()
    upload: Sequence[str] = ()
    errors: dict[str, str] = field(default_factory=dict)

    def flat(self) -> dict[str, str]:
        """Give every field as words, to see two forms side by side."""
        return self.values | {
            "also": "; ".join(
                f"{usual}, now {lower}" if lower else usual
                for usual, lower in self.also
                if usual
            ),
            "contains": ", ".join(sorted(self.contains)),
        }


def empty(shop: Shop) -> Form:
    """Give the form of a product that is to come."""
    limit = str(shop.settings.delivery.download_limit)
    values = {"version": "1.0", "limit": limit, "tax_class": TaxClass.STANDARD.value}
    return Form(values, _lines([]))


def of(product: Product, shop: Shop) -> Form:
    """Give the form of a product as it is."""
    asked = asking.of(product)
    over = asked.sale_ends_at is not None and asked.sale_ends_at <= shop.now()
    sale, ends = (None, None) if over else (asked.sale, asked.sale_ends_at)
    return Form(
        {
            "seen": marks.of(product),
            "name": product.name,
            "description": as_kept(product.description),
            "price": asked.price.amount,
            "open_price": "yes" if asked.open_price else "",
            "suggest": "; ".join(each.amount for each in asked.suggestions),
            "sale": sale.amount if sale else "",
            "sale_until": f"{ends:%Y-%m-%dT%H:%M}" if ends else "",
            "limit": str(product.download_limit),
            "tax_class": product.tax_class.value,
            "family": product.family or "",
            "edition": product.edition or "",
            "button": product.button or "",
            "template": product.template or "",
        },
        _lines([_line(each, over=over) for each in asked.also]),
        [each.slug for each in product.contents],
    )


def _line(price: Price, *, over: bool) -> tuple[str, str]:
    lower = price.sale.amount if price.sale and not over else ""
    return f"{price.usual.amount} {price.usual.currency}", lower


def _lines(known: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*known, *[("", "")] * SPARE_PRICES]


def typed(form: MultiDict[str, str], errors: dict[str, str]) -> Form:
    """Give the form as it was sent, with what is wrong with it."""
    also = zip(form.getlist("also"), form.getlist("also_sale"), strict=False)
    lines = [line for line in also if any(each.strip() for each in line)]
    return Form(
        {name: as_kept(value) for name, value in form.items() if name != "form_token"},
        _lines(lines),
        form.getlist("contains"),
        form.getlist("upload"),
        errors,
    )


def unsent(form: MultiDict[str, str]) -> dict[str, str]:
    """Say of files that were chosen, and not sent, that they are not here.

    Without scripts the field of files belongs to the form, which sends their names alone.
    """
    names = [each for each in form.getlist("file") if each]
    if not names:
        return {}
    were, them = ("was", "it") if len(names) == 1 else ("were", "them")
    words = f"{', '.join(names)} {were} not sent yet."
    return {"files": f"{words} Choose {them} once more, and press Send first."}


def as_kept(text: str) -> str:
    """Write the ends of lines as they are kept: browsers send two signs for each."""
    return text.replace("\r\n", "\n")


class Reader:
    """Reads one field after the other, and keeps what is wrong with each."""

    def __init__(self, shop: Shop, form: MultiDict[str, str], currency: str) -> None:
        self.shop = shop
        self.form = form
        self.currency = currency
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Give a field without spaces around it."""
        return self.form.get(name, "").strip()

    def take(self, name: str, read: Callable[[], T]) -> T | None:
        """Read one field; None, and a sentence, when it cannot be used."""
        try:
            return read()
        except BadInputError as error:
            self.errors[name] = error.plain
            return None

    def common(self) -> dict[str, Any]:
        """Read what a new product and an edited one have alike."""
        return {
            "name": self.take("name", lambda: shelving.check_name(self.text("name"))),
            "description": self.take("description", self._description),
            "asking": self.take("price", self._asking),
            "limit": self.take("limit", self._limit),
            "tax_class": self.take("tax_class", self._tax_class),
            "cover": self.take("cover", self._cover),
        }

    def _description(self) -> str:
        words = as_kept(self.form.get("description", ""))
        if len(words) > LONGEST:
            raise BadInputError("The description is too long.", "Make it shorter.")
        return words

    def _asking(self) -> Asking:
        """Read the whole price, as the form has it."""
        also, lower = self._other_currencies()
        sale = self.text("sale")
        if lower and not sale:
            raise BadInputError("A sale has a price in the first currency, too.")
        ends, price = self.text("sale_until"), self.text("price")
        if not price:
            raise BadInputError("There is no price.", "Type 0 for what is free.")
        return pricing.asked(
            self.shop,
            _in(price, self.currency),
            also=also,
            sale=[_in(sale, self.currency), *lower] if sale else (),
            sale_until=read_end(ends, UTC) if ends else None,
            open_price=bool(self.text("open_price")),
            suggest=re.findall(r"[^;\s][^;]*", self.text("suggest")),
        )

    def _other_currencies(self) -> tuple[list[str], list[str]]:
        usual, lower = [], []
        pairs = zip(
            self.form.getlist("also"), self.form.getlist("also_sale"), strict=False
        )
        for price, sale in pairs:
            if price.strip():
                money = parse_money(price, self.shop.settings.shop.currency)
                usual.append(f"{money.amount} {money.currency}")
                if sale.strip():
                    lower.append(_in(sale, money.currency))
        return usual, lower

    def _limit(self) -> int:
        said = self.text("limit")
        if not said.isdecimal() or not 1 <= int(said[:5]) <= 1000:
            raise BadInputError("Each file can be downloaded 1 to 1000 times.")
        return int(said)

    def _tax_class(self) -> str:
        if self.text("tax_class") not in set(TaxClass):
            raise BadInputError("There is no such tax class.", "Choose one.")
        return self.text("tax_class")

    def _cover(self) -> Upload | None:
        chosen = self.text("cover")
        return self.shop.uploads.get(chosen) if chosen not in ("", NO_COVER) else None

    def edition(self) -> dict[str, Any]:
        """Read what it is an edition of; nothing leaves it out of any family."""
        family, name = self.text("family"), self.text("edition")
        if not family and not name:
            return {"family": "", "edition": None}
        if not family or not name:
            missing = "edition" if family else "family"
            self.errors[missing] = "An edition has a name, and a family it belongs to."
        return {"family": family, "edition": name}

    def wording(self) -> dict[str, Any]:
        """Read the words of the button, and the template."""
        button, template = self.text("button"), self.text("template")
        return {
            "button": self.take("button", lambda: wording.button(self.shop, button)),
            "template": self.take(
                "template",
                lambda: wording.template(self.shop, template) if template else "",
            ),
        }


def _in(text: str, currency: str) -> str:
    """Name the currency of a price, where it was typed as a number alone."""
    return f"{text} {currency}" if text.strip("0123456789., ") == "" else text


def plain(error: ShopError) -> str:
    """Give the words of an error for a page: without what is for the command line."""
    if "--" in error.hint or "handsel " in error.hint:
        return error.message
    return str(error)
