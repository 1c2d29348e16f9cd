"""A seller makes coupons at the desk, and ends them."""

from typing import Any

import pytest
from sqlalchemy import select

from handsel.models import AuditEntry
from handsel.sales import coupons
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, words
from tests.stories.desks import Seller
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
