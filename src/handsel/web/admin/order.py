"""One order at the desk: what it is, what happened to it, what can be done."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, url_for

from handsel.kit.money import Money
from handsel.models.words import LineKind
from handsel.ops.desk import order as looking
from handsel.ops.desk.order import Look
from handsel.ops.desk.timeline import Moment
from handsel.web.admin import wording
from handsel.web.admin.desk import desk
from handsel.web.admin.orders import money
from handsel.web.pages import page, the_shop

MINUS = "\N{MINUS SIGN}"


@desk.get("/orders/<number>")
def order(number: str) -> Response:
    """Show one order."""
    return order_page(number)


def order_page(
    number: str,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """Show one order, with what was wrong in a form of it."""
    with the_shop().reading() as session:
        found = looking.look(session, the_shop(), number)
    number = found.order.number
    return page(
        "admin/order.html",
        422 if errors else 200,
        order=_facts(found),
        files=found.files,
        amounts=list(_amounts(found)),
        origin=list(_origin(found)),
        evidence=list(_places(found)),
        papers=[_paper(*each) for each in found.papers],
        moments=[_moment(each) for each in found.moments],
        may=found.may,
        refund_left=money(found.may.refund) if found.may.refund else "",
        form={"values": values or {}, "errors": errors or {}},
        press=secrets.token_urlsafe(16),
    )


def _facts(found: Look) -> dict[str, Any]:
    order = found.order
    captures = list(found.captures)
    sandbox = the_shop().settings.paypal.sandbox
    return {
        "number": order.number,
        "status": wording.STATUSES[order.status],
        "loud": order.status in wording.LOUD,
        "test": order.test,
        "access": found.facts["access"],
        "held": found.held,
        "product": found.name,
        "slug": found.facts["product"],
        "version": found.facts["release"],
        "email": order.email or "",
        "erased_at": order.erased_at,
        "customer_url": _customer_url(order.customer_id),
        "blocked": found.blocked,
        "link": found.facts["link"] or "",
        "card": order.card_last4 or "",
        "statement": order.statement_text or "",
        "provider": wording.PROVIDERS.get(order.provider, order.provider),
        "provider_url": wording.provider_url(order, captures, sandbox=sandbox),
        "payment": ", ".join(captures) or order.session_id,
        "limit": order.download_limit,
        "free": not order.price_minor,
    }


def _customer_url(customer_id: int | None) -> str:
    if customer_id is None:
        return ""
    return url_for("desk.customer", customer_id=customer_id)


def _amounts(found: Look) -> Iterator[tuple[str, str]]:
    """Give the sums of an order, as a bill has them."""
    order = found.order

    def said(minor: int) -> str:
        return money(Money(minor, order.currency))

    if order.discount_minor or order.relief_minor:
        yield (
            "Price",
            said(order.price_minor + order.discount_minor + order.relief_minor),
        )
    if order.discount_minor:
        coupon = found.facts["coupon"]
        yield (
            f"Coupon {coupon}" if coupon else "Discount",
            f"{MINUS}{said(order.discount_minor)}",
        )
    if order.relief_minor:
        yield "Tax the business owes itself", f"{MINUS}{said(order.relief_minor)}"
    yield "Total", said(order.price_minor)
    if order.tax_minor:
        yield "of it tax", said(order.tax_minor)
    if found.back.minor:
        yield "Gone back", f"{MINUS}{money(found.back)}"
    for line in found.fees:
        if line["fee_minor"]:
            fee = money(Money(line["fee_minor"], line["currency"]))
            yield f"Fee of the {_of(line['kind'])}", f"{MINUS}{fee}"


def _of(kind: str) -> str:
    return {LineKind.SALE: "payment"}.get(LineKind(kind), kind.replace("_", " "))


def _origin(found: Look) -> Iterator[tuple[str, str]]:
    visit = found.visit
    if visit is None:
        return
    yield "Came from", visit["source"] or "nowhere we know of"
    for name in ("medium", "campaign", "term", "content"):
        if visit[name]:
            yield name.capitalize(), visit[name]
    if visit["page"]:
        yield "By the button on", visit["page"]
    if visit["referrer"] and visit["referrer"] != visit["source"]:
        yield "Left", visit["referrer"]
    yield "On a", visit["device"]


def _places(found: Look) -> Iterator[tuple[str, str]]:
    """Say where the buyer is, as far as there is evidence for the tax."""
    named = {
        "country": "Country given",
        "card_country": "Country of the card",
        "network_country": "Country of the line",
        "vat_number": "VAT number",
        "vat_consultation": "Asked the register, number",
    }
    for name, said in named.items():
        if found.facts[name]:
            yield said, found.facts[name]


def _paper(paper_id: int, paper: Mapping[str, Any]) -> dict[str, str]:
    gross = Money(paper["gross_minor"], paper["currency"])
    kind = "Credit note" if paper["kind"] == "credit_note" else "Invoice"
    return {
        "name": f"{kind} {paper['number']}",
        "amount": money(gross),
        "url": url_for("desk.invoice_pdf", paper_id=paper_id),
    }


def _moment(each: Moment) -> dict[str, Any]:
    return {
        "at": each.at,
        "said": wording.happened(each),
        "name": wording.name_of(each),
        "amount": money(each.amount) if each.amount else "",
        "by": each.by,
        "bad": each.kind in wording.BAD,
    }
