"""A seller makes coupons at the desk, and ends them."""

from typing import Any

import pytest
from sqlalchemy import select

from handsel.kit.money import Money
from handsel.models import AuditEntry
from handsel.sales import coupons
from handsel.sales.asking import Asking
from handsel.sales.prices import Price
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.desks import PASSWORD, Seller
from tests.stories.test_desk_products import send

SPRING = {"code": "spring", "kind": "percent", "value": "20"}


def test_a_coupon_is_made_given_away_ended_and_counts_again(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    assert "There are no coupons" in words(seller.get("/admin/coupons"))

    made = send(seller, "/admin/new-coupon", SPRING | {"product": ["book"]})

    assert "SPRING takes 20 % off" in words(made)
    link = f"{shop.settings.public_url}/p/book?coupon=SPRING"
    assert link in made.text
    buyer = Visitor(shop, app=seller.app)
    assert "€12.00" in words(buyer.get(link))
    ended = seller.press_and_follow(made, "/end")
    assert "SPRING counts no more" in words(ended)
    assert "€12.00" not in words(buyer.get(link))
    again = seller.press_and_follow(ended, "/revive")
    assert "SPRING counts again" in words(again)
    assert "SPRING 20 % 0 counts book" in words(seller.get("/admin/coupons"))
    with shop.reading() as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        found = [each for each in noted if each.startswith("coupon.")]
    assert found == ["coupon.made", "coupon.ended", "coupon.revived"]


def test_a_coupon_has_every_limit_that_commands_know(
    seller: Seller, shop: Shop
) -> None:
    fields = {
        "code": "WINTER",
        "kind": "amount",
        "value": "5 USD",
        "least": "20 USD",
        "starts_at": "2026-12-01T00:00",
        "ends_at": "2027-01-31T18:00",
        "most_uses": "100",
        "most_each": "1",
    }
    made = send(seller, "/admin/new-coupon", fields)
    said = words(made)
    for part in ("Takes off $5.00", "State to come", "Uses 0 of 100", "$20.00"):
        assert part in said
    with shop.reading() as session:
        found = coupons.get(session, "winter")
        assert (found.amount_minor, found.currency, found.most_each) == (500, "USD", 1)
        assert found.least_minor == 2000


def test_many_are_made_at_once_and_their_codes_are_a_file(
    seller: Seller, shop: Shop
) -> None:
    made = send(seller, "/admin/new-coupon", SPRING | {"count": "70"})
    assert "70 coupons are made" in words(made)
    listed = words(seller.get("/admin/coupons"))
    assert "SPRING-… 70 70 0" in listed
    assert "SPRING-" in words(seller.get("/admin/coupons?batch=SPRING"))
    sheet = seller.get("/admin/coupons.csv?batch=SPRING")
    lines = sheet.text.splitlines()
    assert lines[0].startswith("code,takes_off")
    assert len(lines) == 71
    assert len({line.partition(",")[0] for line in lines}) == 71
    ended = send(seller, "/admin/coupon-batches/SPRING/end", {})
    assert "70 coupons count no more" in words(ended)
    assert "SPRING-… 70 0 0" in words(seller.get("/admin/coupons"))
    assert seller.get("/admin/coupons.csv?batch=AUTUMN").status_code == 404
    with shop.reading() as session:
        one = coupons.listed(session, batch="SPRING")[0]
    assert one.most_uses == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code": "no good!"}, "A coupon's code is"),
        ({"code": ""}, "A coupon's code is"),
        ({"value": ""}, "Say what it takes off"),
        ({"value": "120"}, "is no part of a price"),
        ({"kind": "amount", "value": "0"}, "A coupon takes off something"),
        ({"ends_at": "2020-01-01T00:00"}, "would be over before it begins"),
        ({"ends_at": "soon"}, "is no time"),
        ({"most_uses": "-1"}, "is no number of times"),
        ({"count": "10001"}, "10,000"),
        ({"product": ["nothing"]}, "There is no product called nothing"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_wrong_is_said_and_nothing_is_made(
    seller: Seller, shop: Shop, fields: dict[str, Any], said: str
) -> None:
    answer = send(seller, "/admin/new-coupon", SPRING | fields)
    assert answer.status_code == 422
    assert said in words(answer).replace("&#39;", "'")
    with shop.reading() as session:
        assert coupons.listed(session) == []


def test_a_code_that_is_taken_is_said_at_its_field(seller: Seller) -> None:
    send(seller, "/admin/new-coupon", SPRING)
    again = send(seller, "/admin/new-coupon", SPRING)
    assert again.status_code == 422
    assert 'id="code-error"' in again.text
    assert seller.get("/admin/coupons/NOTHING").status_code == 404


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"value": "100"}, True),
        ({"value": "100", "count": "5"}, True),
        ({"value": "99.99"}, True),  # of 15.00 nothing is left
        ({"value": "90"}, False),
        ({"kind": "amount", "value": "15"}, True),
        ({"kind": "amount", "value": "14"}, False),
        ({"kind": "amount", "value": "15", "least": "20"}, False),
        ({"kind": "amount", "value": "15", "product": ["dear"]}, False),
        ({"kind": "amount", "value": "40", "product": ["dear"]}, True),
        ({"kind": "amount", "value": "45 USD"}, True),
        ({"kind": "amount", "value": "45 USD", "least": "45.01 USD"}, False),
        ({"kind": "amount", "value": "30 USD"}, False),
        ({"kind": "amount", "value": "15", "product": ["nothing"]}, False),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_makes_a_product_free_is_asked_for_the_password(
    seller: Seller, shop: Shop, clock: Clock, fields: dict[str, Any], asked: bool
) -> None:
    make.product(shop)  # for 15 euros
    dollars = Price(Money(4500, "USD"))
    dear = Asking(Money(4000, "EUR"), also=(dollars,))
    make.product(shop, slug="dear", asking=dear)
    make.product(shop, slug="gift", price=Money(0, "EUR"))
    clock.move(minutes=11)
    page = seller.get("/admin/new-coupon")
    answer = seller.post(
        "/admin/new-coupon",
        SPRING
        | fields
        | {"form_token": form_of(page, "/new-coupon").fields["form_token"]},
    )
    assert (answer.status_code == 403) is asked
    with shop.reading() as session:
        if asked:
            assert coupons.listed(session) == []


def test_what_makes_free_counts_again_only_with_the_password(
    seller: Seller, shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    made = seller.do(
        seller.get("/admin/new-coupon"), "/new-coupon", SPRING | {"value": "100"}
    )
    send(seller, "/admin/new-coupon", {**SPRING, "value": "100", "count": "3"})
    ended = seller.press_and_follow(made, "/end")
    send(seller, "/admin/coupon-batches/SPRING/end", {})
    clock.move(minutes=11)
    page = seller.get("/admin/coupons?batch=SPRING")

    assert seller.press(ended, "/revive").status_code == 403
    assert seller.press(page, "/revive").status_code == 403
    assert seller.get("/admin/coupons.csv?batch=SPRING").status_code == 403
    assert "counts again" in words(seller.do(ended, "/revive"))
    assert "3 coupons count again" in words(seller.do(page, "/revive"))


def test_codes_are_given_out_for_the_password(seller: Seller, clock: Clock) -> None:
    send(seller, "/admin/new-coupon", SPRING | {"count": "3"})
    clock.move(minutes=11)
    asked = seller.get("/admin/coupons.csv?batch=SPRING")
    sheet = seller.press(asked, "/coupons.csv", {"confirm_password": PASSWORD})
    assert asked.status_code == 403
    assert len(sheet.text.splitlines()) == 4
    assert "Took the codes of coupons out as CSV" in words(seller.get("/admin/audit"))
