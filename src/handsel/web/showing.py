"""What the pages of a product show, worked out for their templates."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from flask import Response, current_app, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError, ShopError
from handsel.kit.markdown import markdown_to_plain, render_markdown
from handsel.kit.text import human_size, suggest_email
from handsel.models import Product
from handsel.models.words import Part, ProductStatus
from handsel.sales import catalogue, prices, releases
from handsel.sales.checkout import Offer
from handsel.sales.payments.units import can_charge
from handsel.shop import taken
from handsel.web import carried, owned, pricetags, tested
from handsel.web.pages import page, the_shop, with_visitor

log = logging.getLogger("handsel.web")


def product_page(
    slug: str,
    status: int = 200,
    error: ShopError | None = None,
    *,
    preview: bool = False,
) -> AnyResponse:
    """Show one product with its button, and what went wrong before, if anything did.

    What is wrong with the coupon or the amount is said where they are typed.

    Args:
        preview: for the seller, a draft too, without what is being tried: everything
            looks as it will, and nothing can be pressed.
    """
    nobody = pricetags.look_for_business()
    refused = error if _is_at_a_field(error) else nobody
    tried = tested.NOTHING if preview else tested.look(slug, shows=tested.HERE)
    find = catalogue.get if preview else catalogue.published
    with the_shop().reading() as session:
        found = find(session, slug)
        shown = pricetags.tag(session, found, refused)
        family = catalogue.family(session, found)
        editions = [_edition(each, found, shown.offer) for each in family]
    words = _button_words(found, tried)
    response = _product_page(
        found,
        status,
        product=_details(found)
        | _tried(tried)
        | pricetags.described(found, shown)
        | {"editions": editions}
        | (_seen_by_seller(found) if preview else {}),
        preview=preview,
        kept=_kept(shown.offer, "coupon"),
        kept_business=_kept(shown.offer, "vat_id"),
        buy_action=url_for("buying.buy", slug=slug),
        buttons=buttons(shown.offer, words),
        hidden=_hidden(shown.offer),
        error=None if _is_at_a_field(error) else _said(error),
        errors={shown.refusal.field: str(shown.refusal)} if shown.refusal else {},
        pressed=status != 200,
        cancelled="cancelled" in request.args,
        free_button=_free_button(words),
        owned_url=None if preview else owned.find(found.id),
        meta=_meta(found),
    )
    return response if preview else _with_press(response)


def _seen_by_seller(found: Product) -> dict[str, Any]:
    """Give the cover from where the seller sees it, of a draft as well."""
    if not found.cover:
        return {}
    return {"cover_url": url_for("desk.product_cover", slug=found.slug)}


def _product_page(
    found: Product, status: int, *, preview: bool = False, **context: Any
) -> Response:
    """Fill in the template of this product, or of the variant that is tried.

    One that cannot be used must not keep anybody from buying: then it is the usual one,
    and nobody who sees that is counted. Which errors that may be is up to the seller.
    """
    own = tested.here().value(Part.TEMPLATE) or found.template
    if preview:
        return _preview(own or "product.html", context)
    if own:
        try:
            return page(own, status, **context)
        except Exception as error:  # noqa: BLE001  # it may be any
            _complain(own, found.slug, error)
            for name in tested.leave_out(Part.TEMPLATE):
                context["hidden"].pop(name, None)
    return page("product.html", status, **context)


def _preview(around: str, context: dict[str, Any]) -> Response:
    """Fill in the template within the page that says what this is."""
    try:
        return page("admin/preview.html", around=around, **context)
    except Exception as error:
        log.warning("The template %s cannot be used.", around, exc_info=error)
        raise ConflictError(
            f"The template {around} cannot be used: {error}.",
            "Until it is mended buyers see the usual page.",
        ) from error


def _complain(template: str, slug: str, error: Exception) -> None:
    """Say once a day and template why it cannot be used, not to every visitor's page."""
    today = the_shop().now().date()
    said = current_app.extensions.setdefault("handsel.unusable", {})
    if said.get(template) != today:
        said[template] = today
        words = "The template %s of %s cannot be used."
        log.error(words, template, slug, exc_info=error)


def _button_words(found: Product, tried: tested.Tried) -> str:
    """Give the words that are tried or the product's own; "" for the usual ones."""
    mine = tried.value(Part.BUTTON)
    return (found.button or "") if mine is None else mine


def _free_button(words: str) -> str:
    """Give the words where nothing is to be paid: then there is no way to pay to name."""
    return words if words and "{provider}" not in words else "Get it free"


def _tried(tried: tested.Tried) -> dict[str, Any]:
    """Give what the page shows instead of what a product has."""
    found: dict[str, Any] = {}
    if headline := tried.value(Part.HEADLINE):
        found["headline"] = headline
    if (text := tried.value(Part.DESCRIPTION)) is not None:
        found["description_html"] = Markup(render_markdown(text))  # noqa: S704  # safe by kit.markdown
    if cover := tried.value(Part.COVER):
        sha256, _, width, height = cover.split()
        found["cover_url"] = url_for("storefront.cover", sha256=sha256)
        found |= {"cover_width": int(width), "cover_height": int(height)}
    return found


def _said(error: ShopError | None) -> dict[str, str] | None:
    return {"message": error.message, "hint": error.hint} if error else None


def _edition(each: Product, shown: Product, offer: Offer) -> dict[str, Any]:
    """Give one of the editions to choose from; its page is told the wishes of this one."""
    wish = {name: said for name, said in offer.wish.items() if name != "amount"}
    return {
        "name": each.edition,
        "price": pricetags.card(each)["price"],
        "url": carried.on(url_for("storefront.product", slug=each.slug), wish),
        "current": each.id == shown.id,
    }


def _is_at_a_field(error: ShopError | None) -> TypeGuard[BadInputError]:
    return isinstance(error, BadInputError) and error.field in (
        *("coupon", "amount", "vat_id"),
    )


def _hidden(offer: Offer, *, amount: bool = False) -> dict[str, str]:
    """Give what the form carries without being seen; the amount where none is asked."""
    fields = offer.wish | tested.fields() | {"press": secrets.token_urlsafe(16)}
    if not amount:
        fields.pop("amount", None)
    if offer.price.minor and not offer.chosen:
        fields["shown"] = f"{offer.price.minor} {offer.price.currency}"
    return fields | carried.here()


def _with_press(response: AnyResponse) -> AnyResponse:
    """Send a page whose form is this browser's own: nobody else may be given it."""
    response.headers["Cache-Control"] = "private, no-cache"
    return tested.keep_promises(with_visitor(response))


def buy_page(
    slug: str, values: Mapping[str, str], errors: Mapping[str, str]
) -> AnyResponse:
    """Sum up what is bought; what is free asks for the e-mail address here."""
    nobody = pricetags.look_for_business()
    tested.look(slug)
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
        shown = pricetags.tag(session, found, nobody)
    if shown.refusal and shown.refusal.field == "vat_id":
        errors = {"vat_id": str(shown.refusal), **errors}
    offer = shown.offer
    suggestion = suggest_email(values.get("email", "")) or ""
    response = page(
        "buy.html",
        422 if errors else 200,
        product=_details(found) | pricetags.described(found, shown),
        back_url=carried.on(url_for("storefront.product", slug=slug), offer.wish),
        sums=_sums(offer),
        free=not offer.price.minor,
        kept=_kept(offer, "coupon"),
        kept_business=_kept(offer, "vat_id"),
        asks_email=offer.asks_email,
        form={"values": values, "errors": errors, "suggestion": suggestion},
        buy_action=url_for("buying.buy", slug=slug),
        buttons=buttons(offer),
        hidden=_hidden(offer, amount=True),
        statement_text="",
    )
    return _with_press(response)


def _kept(offer: Offer, asked: str) -> dict[str, str]:
    """Give what a form that asks for one of a buyer's wishes must not forget."""
    wish = {name: said for name, said in offer.wish.items() if name != asked}
    return wish | carried.here()


def _sums(offer: Offer) -> dict[str, str]:
    """Give the lines of the sum; those that are nothing are empty."""
    lowered = offer.coupon or offer.business
    return {
        "before": pricetags.price(offer.quote.before) if lowered else "",
        "discount": pricetags.price(offer.quote.discount) if offer.coupon else "",
        "relief": pricetags.price(offer.quote.relief) if offer.business else "",
        "total": pricetags.price(offer.price),
    }


def buttons(offer: Offer, words: str = "") -> list[dict[str, str]]:
    """Give a button for each provider that can charge exactly this price.

    Where the price is open, nobody knows it yet: then all that take the currency.

    Args:
        words: what the seller has them say, with `{provider}` for the way to pay.
    """
    price = offer.price
    found = [
        each
        for each in the_shop().providers.values()
        if (units := taken(each, price.currency))
        and (offer.chosen or can_charge(units, price))
    ]
    if len(found) > 1 and "{provider}" not in words:
        words = ""  # all buttons would say the same
    words = words or ("Buy now" if len(found) == 1 else "Buy with {provider}")
    return [
        {
            "provider": each.name,
            "label": each.label,
            "text": words.replace("{provider}", each.label),
        }
        for each in found
    ]


def card(found: Product, family: Sequence[Product] = ()) -> dict[str, Any]:
    """Give what a list shows of a product, or of the family it is an edition of."""
    every = [*found.files, *(file for each in found.contents for file in each.files)]
    return {
        "name": found.name,
        "slug": found.slug,
        "url": url_for("storefront.product", slug=found.slug),
        "summary": markdown_to_plain(found.description, limit=160),
        **pricetags.card(found, family),
        "cover_url": cover_url(found),
        "cover_width": found.cover_width,
        "cover_height": found.cover_height,
        "formats": list(dict.fromkeys(releases.file_format(f.name) for f in every)),
        "draft": False,
    }


def _details(found: Product) -> dict[str, Any]:
    return card(found) | {
        "headline": found.name,
        "description_html": Markup(render_markdown(found.description)),  # noqa: S704  # safe by kit.markdown
        "files": _files(found),
        "contents": [
            {
                "name": each.name,
                "url": carried.on(url_for("storefront.product", slug=each.slug))
                if each.status is ProductStatus.PUBLISHED
                else "",
                "files": _files(each),
            }
            for each in found.contents
        ],
        "download_limit": found.download_limit,
        "seller": the_shop().settings.shop.name,
    }


def _files(found: Product) -> list[dict[str, str]]:
    return [
        {
            "format": releases.file_format(file.name),
            "name": file.name,
            "size": human_size(file.size),
        }
        for file in found.files
    ]


def cover_url(found: Product) -> str | None:
    """Give the address of a product's cover."""
    return url_for("storefront.cover", sha256=found.cover) if found.cover else None


def _meta(found: Product) -> dict[str, Any]:
    """Say to search engines and messengers what the page is about."""
    base = the_shop().settings.public_url
    url = f"{base}{url_for('storefront.product', slug=found.slug)}"
    picture = cover_url(found)
    image = f"{base}{picture}" if picture else None
    amount = prices.current(found, the_shop().now()).amount
    description = markdown_to_plain(found.description, limit=160)
    offer = {
        "@type": "Offer",
        "price": amount,
        "priceCurrency": found.currency,
        "availability": "https://schema.org/InStock",
        "url": url,
    }
    return {
        "url": url,
        "description": description,
        "image": image,
        "oembed_url": f"{base}{url_for('embed.oembed', url=url, format='json')}",
        "amount": amount,
        "currency": found.currency,
        "json_ld": {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": found.name,
            "description": description,
            "offers": offer,
            **({"image": image} if image else {}),
        },
    }
