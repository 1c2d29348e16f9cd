"""P18: what happens to the money, and what every surface says of the files then."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from handsel.kit.money import Money
from handsel.models.words import FactKind, RefundReason
from handsel.ops import refunding
from handsel.outbound import audience
from handsel.outbound.audience import Audience
from handsel.sales import orders
from handsel.sales.payments.base import Fact
from tests import make
from tests.ground.cases import Say
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor, words
from tests.ground.waiting import wait_until
from tests.stories.buyers import facts

ADA = "ada@example.org"
NOTHING = Money(0, "EUR")


@dataclass(frozen=True)
class Sold:
    """A book that was bought, with its page open and a download begun."""

    till: Till
    name: str
    buyer: Visitor
    page: TestResponse
    grant: str
    product_id: int
    number: str

    @property
    def bank(self) -> Any:
        """The provider's own panel, and the buyer's bank."""
        return self.till.far.bank


def sell(till: Till, number: int) -> Sold:
    """Sell a book of its own for 15 euros, and begin one download."""
    product, buyer = make.product(till.shop, slug=f"book-{number}"), till.visitor()
    name = till.begin(buyer, product.slug)
    till.far.bank.pay(name, email=ADA)
    page = buyer.go_on(till.come_back(buyer, name))
    file = product.files[0].id
    grant = buyer.press(page, f"{page.request.path}/{file}").headers["Location"]
    order = till.order(name)
    assert order
    return Sold(till, name, buyer, page, grant, product.id, order.number)


def by_hand(sold: Sold, kind: FactKind, name: str) -> None:
    """Add a fact as the seller's own decision."""
    shop = sold.till.shop
    with shop.transaction() as session:
        order = orders.by_number(session, sold.number, to_change=True)
        orders.add_fact(
            session,
            order,
            Fact(kind, f"{name} {sold.number}", NOTHING, shop.now()),
            shop.now(),
        )


def reopened(sold: Sold) -> None:
    """Close it by hand, and think better of it."""
    by_hand(sold, FactKind.MANUAL_REVOKE, "r")
    sold.till.move(minutes=1)
    by_hand(sold, FactKind.MANUAL_GRANT, "g")


def by_command(sold: Sold, amount: str | None, *, keep: bool = False) -> None:
    """Give money back as `handsel order refund` does."""
    wish = refunding.Wish(amount, RefundReason.REQUESTED, keep)
    plan = refunding.plan(sold.till.shop, sold.number, wish)
    refunding.refund(sold.till.shop, plan)


def disputed(sold: Sold, outcome: str | None = None) -> None:
    """Let the buyer's bank ask for the money, and decide, if it does."""
    name = sold.bank.open_dispute(sold.name)
    if outcome:
        sold.bank.close_dispute(name, outcome)


# What happens, and whether the files are open afterwards.
EVENTS: dict[str, tuple[Callable[[Sold], object], bool]] = {
    "nothing": (lambda sold: None, True),
    "all back in the panel": (lambda sold: sold.bank.refund(sold.name), False),
    "all back by command": (lambda sold: by_command(sold, None), False),
    "all back, files kept": (lambda sold: by_command(sold, None, keep=True), True),
    "a part back": (lambda sold: sold.bank.refund(sold.name, 500), True),
    "a part by command": (lambda sold: by_command(sold, "5"), True),
    "two parts that are all": (
        lambda sold: [sold.bank.refund(sold.name, each) for each in (500, 1000)],
        False,
    ),
    "disputed": (disputed, False),
    "dispute won": (lambda sold: disputed(sold, "won"), True),
    "dispute lost": (lambda sold: disputed(sold, "lost"), False),
    "dispute settled": (lambda sold: disputed(sold, "settled"), True),
    "closed by hand": (lambda sold: by_hand(sold, FactKind.MANUAL_REVOKE, "r"), False),
    "closed and opened": (
        lambda sold: reopened(sold),
        True,
    ),
}


def test_every_surface_follows_the_money(either_till: Till, say: Say) -> None:
    slowest, wrong = 0.0, {}
    for number, (event, (happen, is_open)) in enumerate(EVENTS.items(), 1):
        sold = sell(either_till, number)
        happen(sold)
        slowest = max(slowest, heard_after(sold, is_open))
        found = surfaces(sold)
        if found != dict.fromkeys(found, is_open):
            wrong[event] = found
    say(
        "P18",
        events=len(EVENTS),
        surfaces=len(found),
        wrong=len(wrong),
        provider=either_till.provider,
        slowest_ms=int(slowest * 1000),
    )
    assert wrong == {}
    assert untrue(either_till.shop) == {}


def heard_after(sold: Sold, is_open: bool) -> float:
    """Wait until the shop has heard of it by web hook; give the seconds that took."""
    began = time.perf_counter()
    wait_until(
        lambda: facts(sold.till.shop, sold.number)["access"] is is_open, seconds=20
    )
    return time.perf_counter() - began


def surfaces(sold: Sold) -> dict[str, bool]:
    """Ask everything that opens the files, or speaks of them, whether they are open."""
    buyer, shop = sold.buyer, sold.till.shop
    path = sold.page.request.path
    landing = buyer.get(path)
    # The form of the page that was open before: what counts is what is so now.
    press = buyer.device().press(sold.page, f"{path}/").status_code
    with shop.reading() as session:
        wanted = audience.reach(session, Audience(sold.product_id)).recipients
    return {
        "page": "book.epub" in words(landing),
        "press": press == 303,
        "download begun before": buyer.get(sold.grant).status_code == 200,
        "a part of it": part(buyer, sold.grant) == 206,
        "mail of a new edition": wanted == 1,
        "order show": bool(facts(shop, sold.number)["access"]),
    }


def part(buyer: Visitor, grant: str) -> int:
    """Ask for some bytes of a download, as one that resumes does."""
    return buyer.get(grant, headers={"Range": "bytes=10-19"}).status_code
