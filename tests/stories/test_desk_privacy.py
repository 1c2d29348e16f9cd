"""What the desk lets out of its pages: nothing of buyers in addresses, no keys in HTML."""

import pytest
from werkzeug.datastructures import MultiDict

from handsel.sales import catalogue
from handsel.settings import load_settings
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import form_of, words
from tests.ops import keeping
from tests.stories.desks import PASSWORD, Seller
from tests.stories.test_desk_products import fields_of

BUYER = "reader1@example.com"


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold a book."""
    make.product(shop)
    keeping.buy(shop, 1)
    return shop


@pytest.mark.usefixtures("sold")
def test_no_address_that_a_browser_remembers_names_a_buyer(seller: Seller) -> None:
    page = seller.get("/admin/orders/H-1001")
    for action, fields in (
        ("/resend", {}),
        ("/block", {"reason": "Cards"}),
        ("/unblock", {}),
    ):
        answer = seller.press(page, action, fields)
        onward = answer.headers["Location"]
        assert "said=" in onward
        assert "example.com" not in onward
        page = seller.get(onward)
        assert BUYER in words(page).partition("Bought")[0]
    assert "email=" not in page.text
    gift = seller.get("/admin/orders/give?like=H-1001")
    fields = form_of(gift, "/give").fields
    assert fields["email"] == BUYER


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("words_", ["Hello", "é", "AAAA", "A" * 100, "%00", "="])
def test_nobody_else_makes_the_desk_say_things(seller: Seller, words_: str) -> None:
    page = seller.get(f"/admin/orders?said={words_}&by={'a' * 43}")
    assert page.status_code == 200
    assert 'role="status"' not in page.text


KEY = "rk_test_1234567890abcdefWXYZ"
STRIPE = {"stripe.secret_key": KEY, "stripe.webhook_secret": "whsec_1234567890abcdef"}


@pytest.mark.parametrize("minutes", [11, 31])
def test_keys_stand_in_no_page_that_asks_something_first(
    seller: Seller, shop: Shop, clock: Clock, minutes: int
) -> None:
    page = seller.get("/admin/settings/payments")
    clock.move(minutes=minutes)
    asked = seller.press(page, "/settings/payments", STRIPE)
    if minutes > 30:
        again = seller.press(asked, "/settings/payments")
        assert (asked.status_code, again.status_code) == (401, 401)
        assert seller.tab().sign_in().status_code == 303
        done = seller.go_on(seller.press(again, "/settings/payments"))
    else:
        again = seller.press(asked, "/settings/payments", {"confirm_password": "no"})
        assert (asked.status_code, again.status_code) == (403, 403)
        done = seller.do(again, "/settings/payments", {"confirm_password": PASSWORD})

    for each in (asked, again):
        assert KEY not in each.text
        assert "whsec_" not in each.text
    assert "Saved: " in words(done)
    key = load_settings(shop.home).stripe.secret_key
    assert key
    assert key.get_secret_value() == KEY


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_long_text_in_any_letters_is_kept_as_it_was(
    seller: Seller, shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    typed, word = fields_of(shop, "book"), seller.form_word()
    text = "كتاب 📚 <b>\r\n" * 4500  # nearly as much as a form may be
    clock.move(minutes=40)
    data = MultiDict(typed | {"description": text, "form_token": word})
    asked = seller._ask("POST", "/admin/products/book", data=data)
    assert asked.status_code == 401
    seller.tab().sign_in()
    done = seller.press_and_follow(asked, "/products/book")
    assert "is saved" in words(done)
    with shop.reading() as session:
        found = catalogue.get(session, "book").description
    assert found.splitlines() == text.strip().splitlines()
