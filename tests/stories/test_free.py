"""A product that costs nothing: an e-mail address, and it is there."""

import pytest

from handsel.kit.money import Money
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import download, facts, mails


@pytest.fixture(autouse=True)
def leaflet(shop: Shop) -> None:
    """Something free on the shelf."""
    make.product(shop, slug="leaflet", name="The Leaflet", price=Money(0, "EUR"))


def test_an_address_is_all_it_takes(shop: Shop, visitor: Visitor) -> None:
    product = visitor.get("/p/leaflet")
    button = form_of(product, "/buy/leaflet")
    form = visitor.get(button.action)

    given = visitor.press_and_follow(form, "/buy/leaflet", {"email": "a@example.com"})

    assert button.method == "get"
    for page in (visitor.get("/"), product, form):
        assert "Free" in words(page)
        assert "0.00" not in words(page)
    assert form_of(form, "/buy/leaflet").typed == ["email"]
    assert given.request.path.startswith("/d/")
    assert "data-autostart" in given.get_data(as_text=True)
    assert download(visitor, given).data == make.BOOK
    [mail] = mails(shop)
    assert (mail.to, given.request.path in mail.text) == ("a@example.com", True)
    assert facts(shop)["amount_minor"] == 0


def test_a_slip_in_the_address_is_shown_and_kept(shop: Shop, visitor: Visitor) -> None:
    form = visitor.get("/buy/leaflet")

    wrong = visitor.press(form, "/buy/leaflet", {"email": "a.example.com"})

    assert wrong.status_code == 422
    assert form_of(wrong, "/buy/leaflet").fields["email"] == "a.example.com"
    assert 'id="email-error"' in wrong.get_data(as_text=True)
    assert mails(shop) == []
    right = visitor.press_and_follow(wrong, "/buy/leaflet", {"email": "a@example.com"})
    assert right.request.path.startswith("/d/")


def test_nothing_typed_is_a_slip_too(shop: Shop, visitor: Visitor) -> None:
    form = visitor.get("/buy/leaflet")
    assert visitor.press(form, "/buy/leaflet").status_code == 422
    assert visitor.post("/buy/leaflet").status_code == 422


def test_a_double_press_gives_one(shop: Shop, visitor: Visitor) -> None:
    form = visitor.get("/buy/leaflet")

    places = {
        visitor.press(form, "/buy/leaflet", {"email": "a@example.com"}).location
        for _ in range(2)
    }

    assert len(places) == 1
    assert len(mails(shop)) == 1


def test_another_address_in_the_same_form_is_another_copy(
    shop: Shop, visitor: Visitor
) -> None:
    form = visitor.get("/buy/leaflet")

    places = {
        visitor.press(form, "/buy/leaflet", {"email": address}).location
        for address in ("a@example.com", "b@example.com")
    }

    assert len(places) == 2
    assert {mail.to for mail in mails(shop)} == {"a@example.com", "b@example.com"}


def test_nobodys_mailbox_is_filled_with_free_copies(
    shop: Shop, visitor: Visitor
) -> None:
    answers = [
        visitor.press(
            visitor.get("/buy/leaflet"), "/buy/leaflet", {"email": "A@example.com"}
        ).status_code
        for _ in range(8)
    ]

    assert answers == [303] * 5 + [429] * 3
    assert len(mails(shop)) == 5


def test_the_receipt_of_a_present_does_not_talk_of_money(
    shop: Shop, visitor: Visitor
) -> None:
    form = visitor.get("/buy/leaflet")
    page = visitor.press_and_follow(form, "/buy/leaflet", {"email": "a@example.com"})
    assert "refund" not in words(page)
    [mail] = mails(shop)
    assert "card ending" not in mail.text
