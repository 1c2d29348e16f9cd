"""Whatever stands behind the ? of an address of the desk: no page fails."""

import pytest

from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import buy
from tests.stories.desks import hire
from tests.stories.test_desk_products import fields_of, send

NAMES = (
    *("after", "batch", "before", "by", "card", "code", "country", "coupon"),
    *("currency", "customer", "from", "kind", "like", "next", "number", "page"),
    *("period", "place", "product", "q", "said", "since", "source", "state"),
    *("status", "subject", "template", "test", "text", "to", "topic", "until"),
)


@pytest.mark.parametrize(
    "value",
    [
        *("9999-12-31", "0001-01-01", "0001-01-01..9999-12-31", "9999-Q4", "9999d"),
        *("9" * 30, "-1", "٢٠٢٦-٠١-٠١", "\0", "é" * 300, "NaN", "2026-02-30"),
    ],
)
def test_no_page_fails_whatever_it_is_asked_for(
    shop: Shop, visitor: Visitor, value: str
) -> None:
    make.product(shop)
    buy(visitor, email="ann@example.com")
    seller = hire(shop)
    rules = [
        rule.rule
        for rule in seller.app.url_map.iter_rules()
        if rule.rule.startswith("/admin/")
        and "GET" in (rule.methods or ())
        and not rule.arguments
    ]
    assert len(rules) > 35

    for path in sorted(rules):
        asked = dict.fromkeys(NAMES, value)
        for some in (asked, *({name: value} for name in ("after", "until"))):
            answer = seller.client.get(
                path, query_string=some, base_url="http://127.0.0.1:8000"
            )
            assert answer.status_code < 500, (path, some)
            answer.close()


def test_no_form_keeps_a_letter_that_no_database_takes(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    seller = hire(shop)
    typed = {"name": "Ket\0tles", "description": "They\0 talk.", "button": "\0"}

    said = send(seller, "/admin/products/book", fields_of(shop, "book") | typed)

    assert "Ket\ufffdtles is saved" in words(said)
    again = seller.get("/admin/products/book").text
    assert "They\ufffd talk." in again
    assert 'value="Ket\ufffdtles"' in again
    assert seller.get("/admin/orders?q=\0&coupon=a\0b&coupon=c").status_code == 200
    found = visitor.get("/find")
    assert (
        visitor.press(found, "/find", {"email": "a\0nn@example.com"}).status_code < 500
    )
