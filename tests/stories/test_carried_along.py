"""Where a visitor comes from travels with them to the press on Buy."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from handsel.kit.money import Money
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes
from handsel.sales.prices import Price
from handsel.shop import Shop
from handsel.web import carried
from tests import make
from tests.ground.visitor import Visitor, form_of, forms_of
from tests.stories.test_coupons import coupon
from tests.web.test_carried import WHOLE

WAY = urlencode(WHOLE)
PRICE = Money(1500, "EUR")


def brought(page: TestResponse) -> dict[str, str]:
    """Give what the Buy form of a page brings along of where its visitor is from."""
    return carried.of(form_of(page, "/buy/book").fields)


def links(page: TestResponse, path: str) -> list[str]:
    """Give the addresses that lead to a path, from links of a page."""
    html = page.get_data(as_text=True).replace("&amp;", "&")
    return [each for each in html.split('"') if urlsplit(each).path == path]


@pytest.fixture
def book(shop: Shop) -> Shop:
    """A shop with a book for 15 euros, and a coupon for it."""
    make.product(shop)
    coupon(shop)
    return shop


@pytest.mark.parametrize("path", ["/p/book", "/buy/book"])
def test_it_is_in_the_form_that_buys(book: Shop, visitor: Visitor, path: str) -> None:
    page = visitor.get(f"{path}?{WAY}&coupon=SPRING")

    assert brought(page) == WHOLE
    assert form_of(page, "/buy/book").fields["coupon"] == "SPRING"
    paid = visitor.press(page, "/buy/book")
    assert "/testpay/" in paid.headers["Location"]


@pytest.mark.parametrize("path", ["/p/book", "/buy/book"])
def test_it_outlives_a_coupon_that_is_typed_and_taken_away(
    book: Shop, visitor: Visitor, path: str
) -> None:
    page = visitor.get(f"{path}?{WAY}")
    [typed] = [each for each in forms_of(page) if "coupon" in each.fields]
    lower = visitor.get(
        f"{typed.action}?{urlencode(typed.fields | {'coupon': 'SPRING'})}"
    )
    assert form_of(lower, "/buy/book").fields["coupon"] == "SPRING"
    assert brought(lower) == WHOLE

    [away] = {
        each for each in links(lower, path) if "coupon" not in each and "?" in each
    }
    assert brought(visitor.get(away)) == WHOLE


def test_it_outlives_a_press_that_is_refused(book: Shop, visitor: Visitor) -> None:
    page = visitor.get(f"/p/book?{WAY}")
    again = visitor.press(page, "/buy/book", {"coupon": "NONE"})
    assert again.status_code == 422
    assert brought(again) == WHOLE


def test_it_goes_from_page_to_page(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, asking=Asking(PRICE, also=(Price(Money(1700, "USD")),)))
    make.product(shop, slug="team")
    coupon(shop)
    with shop.transaction() as session:
        for slug in ("book", "team"):
            catalogue.edit(
                session, slug, Changes(edition=("the-book", slug)), shop.now()
            )

    window, page = visitor.get(f"/?{WAY}"), visitor.get(f"/p/book?{WAY}")
    summary = visitor.get(f"/buy/book?{WAY}&coupon=SPRING")
    ways = {
        "from the window": links(window, "/p/book"),
        "to another edition": links(page, "/p/team"),
        "to another currency": [x for x in links(page, "/p/book") if "USD" in x],
        "from the summary": [x for x in links(summary, "/p/book") if "SPRING" in x],
    }
    for name, found in ways.items():
        assert found, name
        for each in found:
            assert carried.of(dict(parse_qsl(urlsplit(each).query))) == WHOLE, name


def test_it_comes_along_to_what_is_free(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, asking=Asking(Money(0, "EUR")))
    page = visitor.get(f"/p/book?{WAY}")
    assert brought(visitor.press(page, "/buy/book")) == WHOLE


def test_a_page_that_is_nobodys_says_nothing_of_it(
    book: Shop, visitor: Visitor
) -> None:
    html = visitor.get("/p/book").get_data(as_text=True)
    assert not [name for name in carried.KEPT if f'name="{name}"' in html]
