"""What the seller does for a buyer on the command line, and what the buyer then sees."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from handsel.cli import handsel
from handsel.kit.errors import ConflictError, ShopError
from handsel.sales import orders
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import buy, download, mails


class Seller:
    """Somebody at the shop's command line."""

    def __init__(self, shop: Shop) -> None:
        self._home = str(shop.home)

    def __call__(self, *words: str) -> Any:
        """Run a command, and give its answer."""
        done = CliRunner().invoke(
            handsel,
            [*words, "--home", self._home, "--json"],
            catch_exceptions=False,
            standalone_mode=False,
        )
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def seller(shop: Shop, clock: Clock) -> Seller:
    """The seller, whose clock is the machine's."""
    clock.time = datetime.now(UTC)
    return Seller(shop)


def test_a_present_is_like_a_purchase(
    shop: Shop, visitor: Visitor, seller: Seller, clock: Clock
) -> None:
    make.product(shop, published=False)

    given = seller("order", "give", "book", "critic@example.com")
    clock.move(seconds=5)

    page = visitor.get(given["link"])
    assert download(visitor, page).data == make.BOOK
    assert "data-autostart" not in page.get_data(as_text=True)
    [mail] = mails(shop)
    assert mail.to == "critic@example.com"
    assert given["link"] in mail.text
    assert (given["status"], given["access"]) == ("paid", True)


def test_the_link_is_sent_again_to_the_address_the_buyer_meant(
    shop: Shop, visitor: Visitor, seller: Seller, clock: Clock
) -> None:
    make.product(shop)
    old = buy(visitor, email="raeder@example.com").request.path
    mails(shop)
    clock.move(days=2)

    sent = seller("order", "resend", "H-1001", "--to", "reader@example.com")

    assert sent["email"] == "reader@example.com"
    assert visitor.get(old).status_code == 404
    assert download(visitor, visitor.get(sent["link"])).data == make.BOOK
    mail = mails(shop)[0]
    assert (mail.to, sent["link"] in mail.text) == ("reader@example.com", True)


def test_the_link_is_sent_again_as_it_was(
    shop: Shop, visitor: Visitor, seller: Seller, clock: Clock
) -> None:
    make.product(shop)
    path = buy(visitor).request.path
    mails(shop)

    seller("order", "resend", "1001")
    clock.move(minutes=1)

    assert [mail.to for mail in mails(shop)] == ["reader@example.com"] * 2
    assert visitor.get(path).status_code == 200


def test_a_purchase_without_an_address_is_given_one(
    shop: Shop, visitor: Visitor, seller: Seller, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    with shop.transaction() as session:
        orders.by_number(session, "H-1001").email = None

    with pytest.raises(ConflictError, match="Nobody has given an address"):
        seller("order", "resend", "H-1001")
    sent = seller("order", "resend", "H-1001", "--to", "reader@example.org")
    clock.move(minutes=1)

    assert mails(shop)[0].to == "reader@example.org"
    assert download(visitor, visitor.get(sent["link"])).data == make.BOOK


def test_downloads_used_up_are_allowed_anew(
    shop: Shop, visitor: Visitor, seller: Seller
) -> None:
    make.product(shop, limit=2)
    path = buy(visitor).request.path
    devices = [visitor.device() for _ in range(3)]
    for device in devices[:2]:
        download(device, device.get(path))
    assert "all 2 downloads are used up" in words(devices[2].get(path))

    seller("order", "reset-downloads", "H-1001")

    page = devices[2].get(path)
    assert "2 of 2 left" in words(page)
    assert download(devices[2], page).data == make.BOOK


def test_what_cannot_be_done_is_said_with_what_to_do(
    shop: Shop, visitor: Visitor, seller: Seller
) -> None:
    make.product(shop)
    visitor.press(visitor.get("/p/book"), "/buy/book")

    for command, said in (
        (["order", "resend", "H-1001"], "has not been paid"),
        (["order", "reset-downloads", "H-1001"], "nothing to reset"),
        (["order", "resend", "H-1099"], "no order H-1099"),
        (["order", "give", "nothing", "a@example.com"], "no product called nothing"),
        (["order", "list", "--product", "nothing"], "no product called nothing"),
    ):
        with pytest.raises(ShopError, match=said) as refused:
            seller(*command)
        assert refused.value.hint


def test_a_held_order_is_delivered_when_the_seller_accepts_it(
    shop: Shop, visitor: Visitor, seller: Seller
) -> None:
    make.product(shop)
    where = buy(visitor).request.path
    with shop.transaction() as session:
        found = orders.by_number(session, "H-1001")
        found.review_reason = "The price was 15.00, but 1.00 was paid."
        orders.settle(session, found, shop.now())
    held = words(visitor.get(where))

    accepted = seller("order", "accept", "H-1001")
    delivered = words(visitor.get(where))
    shop.hear("test", found.session_id)  # which goes on saying what it said

    assert "Download EPUB" not in held
    assert (accepted["status"], accepted["access"]) == ("paid", True)
    assert "Download EPUB" in delivered
    assert "Download EPUB" in words(visitor.get(where))
    with pytest.raises(ConflictError, match="not waiting"):
        seller("order", "accept", "H-1001")


def test_a_purchase_keeps_the_number_of_downloads_it_was_sold_with(
    shop: Shop, visitor: Visitor, seller: Seller
) -> None:
    make.product(shop, limit=5)
    where = buy(visitor).request.path

    seller("product", "edit", "book", "--limit", "1")

    assert "5 of 5 left" in words(visitor.get(where))
