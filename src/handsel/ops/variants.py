"""The variants of an experiment, as a seller types them and as they are kept."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.models import Product
from handsel.models.words import Part
from handsel.ops import pricing, shelving, wording
from handsel.ops.wording import USUAL_TEMPLATE
from handsel.sales import prices
from handsel.sales.covers import Cover
from handsel.shop import Shop

MOST = 6


@dataclass(frozen=True)
class Typed:
    """One `--variant`: its name, and its value if one is given."""

    name: str
    value: str | None


def read(texts: Sequence[str]) -> list[Typed]:
    """Read `a=The Book`, or `a` alone. Raises BadInputError."""
    found = [_typed(text) for text in texts]
    if not 2 <= len(found) <= MOST:
        raise BadInputError(
            f"An experiment has 2 to {MOST} variants, with how it is now.",
            "For instance: --variant a --variant b='Another headline'",
        )
    if len({each.name for each in found}) < len(found):
        raise BadInputError(
            "Two variants have the same name.", "Call them a, b, c and so on."
        )
    return found


def _typed(text: str) -> Typed:
    name, equals, value = text.partition("=")
    if not re.fullmatch("[a-z0-9]{1,20}", name):
        raise BadInputError(
            f"“{name}” cannot be the name of a variant.",
            "Take small letters and digits: --variant b='Another headline'",
        )
    return Typed(name, value if equals else None)


def values(
    shop: Shop,
    product: Product,
    part: Part,
    typed: Sequence[Typed],
    *,
    in_words: bool = False,
) -> dict[str, str]:
    """Give the value of each variant, the first being how it is now.

    `in_words`: what is typed is the text itself, or the number of an upload, and no file
    of this machine is read.
    Raises BadInputError for what cannot be shown, or differs in nothing.
    """
    now = current(product, part)
    read_value = _IN_WORDS.get(part, _READERS[part]) if in_words else _READERS[part]
    found = {}
    for number, each in enumerate(typed):
        if part is Part.PAGE:
            found[each.name] = _on_the_page(each)
        elif number == 0:
            found[each.name] = _control(shop, product, part, each, read_value)
        elif each.value is None:
            raise BadInputError(
                f"The variant {each.name} has no value.",
                f"Write: --variant {each.name}=...",
            )
        else:
            found[each.name] = read_value(shop, product, each.value)
    if part is not Part.PAGE and len(set(found.values())) < len(found):
        raise BadInputError(
            "Two variants are the same.",
            _how_it_is(shop, product, part, now),
        )
    return found


def _how_it_is(shop: Shop, product: Product, part: Part, now: str) -> str:
    if part in (Part.DESCRIPTION, Part.COVER):  # not to be said in a line
        return "The first is how it is now."
    shown = told(shop, part, now, product.currency) or "the usual"
    return f"The first is how it is now: {shown}"


def told(shop: Shop, part: Part, value: str, currency: str) -> str | None:
    """Give the value of a variant as people read it; None if it has none."""
    if part is Part.PRICE:
        return format_money(Money(int(value), currency), shop.settings.shop.locale)
    if part is Part.COVER and (cover := as_cover(value)):
        size = f"{cover.width} x {cover.height}"
        return f"{cover.sha256[:8]}, {cover.content_type}, {size}"
    return None if part is Part.PAGE else value


def _on_the_page(typed: Typed) -> str:
    if typed.value:
        raise BadInputError(
            "What the variants of your own page are stands in that page.",
            f"Say their names alone: --variant {typed.name}",
        )
    return ""


def _control(
    shop: Shop, product: Product, part: Part, typed: Typed, read_value: "Reader"
) -> str:
    """Take the first variant for how it is now, and refuse it if that is not so."""
    now = current(product, part)
    if typed.value is not None and read_value(shop, product, typed.value) != now:
        raise BadInputError(
            f"The first variant, {typed.name}, is how it is now, and this is not.",
            f"Leave its value out: --variant {typed.name}",
        )
    return now


def current(product: Product, part: Part) -> str:
    """Give how a part is now, as the value of a variant."""
    cover = product.cover and (
        f"{product.cover} {product.cover_type} "
        f"{product.cover_width} {product.cover_height}"
    )
    return {
        Part.HEADLINE: product.name,
        Part.DESCRIPTION: product.description,
        Part.COVER: cover or "",
        Part.BUTTON: product.button or "",
        Part.PRICE: str(product.price_minor),
        Part.TEMPLATE: product.template or USUAL_TEMPLATE,
        Part.PAGE: "",
    }[part]


def _headline(shop: Shop, product: Product, text: str) -> str:
    return shelving.check_name(text)


def _description(shop: Shop, product: Product, text: str) -> str:
    return shelving.read_text(Path(text))


def _cover(shop: Shop, product: Product, text: str) -> str:
    return _kept(shelving.store_cover(shop, Path(text)))


def _kept(cover: Cover) -> str:
    return f"{cover.sha256} {cover.content_type} {cover.width} {cover.height}"


def as_cover(value: str) -> Cover | None:
    """Give the cover that a value is."""
    if not value:
        return None
    sha256, kind, width, height = value.split()
    return Cover(sha256, kind, int(width), int(height))


def _button(shop: Shop, product: Product, text: str) -> str:
    return wording.button(shop, text)


def _price(shop: Shop, product: Product, text: str) -> str:
    price = pricing.price_in(shop, text, product.currency)
    if price.currency != product.currency:
        raise BadInputError(
            f"The price of {product.slug} is in {product.currency}.",
            "Try prices in that currency alone.",
        )
    if not price.minor:
        raise BadInputError(
            "A price of nothing cannot be tried.",
            "Nobody could say what a visitor brings: name a price above it.",
        )
    return str(price.minor)


def _template(shop: Shop, product: Product, text: str) -> str:
    return wording.template(shop, text)


def _page(shop: Shop, product: Product, text: str) -> str:
    return ""


def _text(shop: Shop, product: Product, text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _sent_cover(shop: Shop, product: Product, text: str) -> str:
    return _kept(shelving.store_cover(shop, shop.uploads.get(text)))


Reader = Callable[[Shop, Product, str], str]
_IN_WORDS: dict[Part, Reader] = {Part.DESCRIPTION: _text, Part.COVER: _sent_cover}
_READERS: dict[Part, Reader] = {
    Part.HEADLINE: _headline,
    Part.DESCRIPTION: _description,
    Part.COVER: _cover,
    Part.BUTTON: _button,
    Part.PRICE: _price,
    Part.TEMPLATE: _template,
    Part.PAGE: _page,
}


def check(shop: Shop, product: Product, part: Part) -> None:
    """Refuse what cannot be tried with this product. Raises BadInputError."""
    for problem, hint in _problems(shop, product, part):
        raise BadInputError(problem, hint)


def check_again(shop: Shop, product: Product, part: Part, value: str) -> None:
    """Refuse a value that was good when it was typed, and is no more, as a template that
    was deleted meanwhile. Raises BadInputError."""
    if part is Part.PRICE:
        value = f"{Money(int(value), product.currency).amount} {product.currency}"
    if part in (Part.PRICE, Part.BUTTON, Part.TEMPLATE):
        _READERS[part](shop, product, value)


def _problems(shop: Shop, product: Product, part: Part) -> Iterator[tuple[str, str]]:
    if not shop.settings.analytics.own:
        yield (
            "Visits are not counted in this shop, so nothing can be compared.",
            "Set analytics.own = true first.",
        )
    if part is Part.PAGE and not shop.settings.embed.listed:
        yield (
            "No site may ask what to show.",
            'Name yours in the settings: embed.origins = ["https://example.com"].',
        )
    if part is Part.PRICE:
        yield from _problems_of_price(shop, product)
    word = {Part.HEADLINE: "product.headline", Part.BUTTON: "button.text"}.get(part)
    own = shop.home / "templates" / (product.template or USUAL_TEMPLATE)
    if word and own.exists() and not _says(own, word):
        said = f"Your own templates/{own.name} does not print {word}"
        hint = (
            "Every variant would look the same: compare it with ours (docs/theming.md)."
        )
        yield f"{said}.", hint


def _says(template: Path, word: str) -> bool:
    """Say whether a template prints a word, or leaves it to the one it extends."""
    text = template.read_text("utf-8", "replace")
    return word in text or ("{% extends" in text and USUAL_TEMPLATE in text)


def _problems_of_price(shop: Shop, product: Product) -> Iterator[tuple[str, str]]:
    slug = product.slug
    if product.open_price:
        yield (
            f"Buyers name the price of {slug} themselves.",
            "Try something else of it.",
        )
    if not product.price_minor:
        yield f"{slug} is free.", "Give it a price first."
    if product.prices:
        yield (
            f"{slug} has prices in several currencies.",
            f"Try prices in one: handsel product edit {slug} --only-currency",
        )
    if prices.of(product, shop.now()).sale is not None:
        yield (
            f"There is a sale of {slug}.",
            f"End it first: handsel product edit {slug} --no-sale",
        )
    if product.family is not None:
        yield (
            f"{slug} is one of several editions, whose prices stand side by side.",
            f'Take it out of them first: handsel product edit {slug} --family ""',
        )
