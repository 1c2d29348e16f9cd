"""The list of orders at the desk: searched, filtered, paged, taken along as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request, url_for
from sqlalchemy import select

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.models import Product, Source
from handsel.ops.desk import orders as listing
from handsel.ops.desk import wanted
from handsel.ops.desk.orders import Line, Page, Sums
from handsel.ops.desk.wanted import ALL, Wanted
from handsel.web.admin import wording
from handsel.web.admin.desk import audited, confirmed, desk
from handsel.web.admin.sheets import streamed
from handsel.web.pages import page, the_shop

SHOWN_SOURCES = 200
NAMES = {
    "q": "Search",
    "status": "Status",
    "product": "Product",
    "from": "From",
    "to": "To",
    "source": "Came from",
    "coupon": "Coupon",
    "country": "Country",
    "test": "Test purchases",
    "attention": "Needs attention",
}


@dataclass(frozen=True)
class Chip:
    """One filter that is on, and the address without it."""

    name: str
    value: str
    url: str


@desk.get("/orders")
def orders() -> Response:
    """List orders, newest first; everything chosen stands in the address."""
    shop, said, errors = the_shop(), request.args, dict[str, str]()
    try:
        chosen = wanted.read(said)
    except BadInputError as error:
        chosen, errors = Wanted(), {error.field: str(error)}
    after, before = said.get("after", ""), said.get("before", "")
    with shop.reading() as session:
        found = listing.page(session, chosen, after=after, before=before)
        sums = listing.sums(session, chosen, found)
        products = session.execute(
            select(Product.slug, Product.name).order_by(Product.name)
        ).all()
        sources = session.scalars(
            select(Source.name)
            .where(Source.name != "")
            .distinct()
            .order_by(Source.name)
            .limit(SHOWN_SOURCES)
        ).all()
    words = {name: said.get(name, "") for name in NAMES} if errors else chosen.words()
    return page(
        "admin/orders.html",
        422 if errors else 200,
        lines=[shown(line) for line in found.lines],
        newer_url=_url(words, before=found.newer) if found.newer else "",
        older_url=_url(words, after=found.older) if found.older else "",
        count=_count(sums),
        totals=list(_totals(sums)),
        form={"values": words, "errors": errors},
        chips=_chips(chosen),
        filtered=bool(chosen.words()),
        all_url=url_for("desk.orders"),
        csv_url=_url(chosen.words(), "desk.orders_csv"),
        statuses=[("", "Bought"), (ALL, "All, also never paid"), *_statuses()],
        products=[(row.slug, row.name) for row in products],
        sources=[*sources, wanted.BY_THEMSELVES],
    )


def _statuses() -> list[tuple[str, str]]:
    return [(str(word), said.capitalize()) for word, said in wording.STATUSES.items()]


def _url(words: Mapping[str, Any], endpoint: str = "desk.orders", **more: str) -> str:
    return url_for(endpoint, **{**words, **more})


def shown(line: Line) -> dict[str, Any]:
    """Give one order as lists of the desk show it."""
    return {
        "number": line.number,
        "url": url_for("desk.order", number=line.number),
        "at": line.at,
        "status": wording.STATUSES[line.status],
        "loud": line.status in wording.LOUD,
        "test": line.test,
        "product": line.product,
        "email": line.email,
        "country": line.country,
        "price": money(line.price),
        "refunded": money(line.refunded) if line.refunded else "",
    }


def money(amount: Money) -> str:
    """Write an amount as people of the shop's language do."""
    return format_money(amount, the_shop().settings.shop.locale)


def _count(sums: Sums) -> str:
    if sums.more:
        return f"More than {sums.count:,} orders"
    return "1 order" if sums.count == 1 else f"{sums.count:,} orders"


def _totals(sums: Sums) -> Iterator[str]:
    """Say what was paid, each currency for itself, test purchases apart."""
    for each in sums.totals:
        if each.paid.minor:
            back = f", {money(each.refunded)} gone back" if each.refunded.minor else ""
            what = "in test purchases" if each.test else "paid"
            yield f"{money(each.paid)} {what}{back}"


def _chips(chosen: Wanted) -> Sequence[Chip]:
    words = chosen.words()
    return [
        Chip(
            NAMES[name],
            _value(name, value),
            _url({other: word for other, word in words.items() if other != name}),
        )
        for name, value in words.items()
        if name != "q"
    ]


def _value(name: str, value: str) -> str:
    if name == "status":
        return "all" if value == ALL else wording.STATUSES[value]
    return "yes" if name == "attention" else value


@desk.route("/orders.csv", methods=["GET", "POST"])
def orders_csv() -> Response:
    """Give what is filtered as CSV; the password was asked for, by a form if need be."""
    chosen = wanted.read(request.args)
    confirmed()
    shop = the_shop()
    with shop.transaction() as session:
        named = {name: word for name, word in chosen.words().items() if name != "q"}
        audited(session, "orders.exported", "orders", **named)
    return streamed(listing.csv(shop, chosen), "orders")


def of_customer(customer_id: int, after: str, before: str) -> Page:
    """Give the orders of one customer."""
    mine = replace(Wanted(status=ALL), customer_id=customer_id)
    with the_shop().reading() as session:
        return listing.page(session, mine, after=after, before=before)
