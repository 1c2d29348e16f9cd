"""What the desk lets out of its pages: nothing of buyers in addresses, no keys in HTML."""

import pytest

from handsel.shop import Shop
from tests import make
from tests.ground.visitor import form_of, words
from tests.ops import keeping
from tests.stories.desks import Seller

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
