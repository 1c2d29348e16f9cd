"""What strangers see before they buy."""

import dataclasses

import pytest

from handsel.kit.money import Money
from handsel.kit.text import human_size
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, form_of, forms_of, words
from tests.stories.buyers import buy, mails, pay, payment_page, with_settings

FILES = {"book.epub": make.BOOK, "book.pdf": b"%PDF" * 1000, "read me.txt": b"Hello"}


def test_a_product_page_says_what_it_costs_and_what_is_in_it(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, files=FILES, limit=7)

    said = words(visitor.get("/p/book"))

    assert "The Book" in said
    assert "15.00" in said
    assert "7 times" in said
    for name, content in FILES.items():
        assert f"{name.rpartition('.')[2].upper()} {name}" in said
        assert human_size(len(content)) in said


def test_the_shop_shows_what_is_published_newest_first(
    shop: Shop, visitor: Visitor
) -> None:
    assert "Nothing is for sale yet" in words(visitor.get("/"))
    make.product(shop, slug="old", name="Old One")
    make.product(shop, slug="new", name="New One")
    make.product(shop, slug="secret", name="Secret One", published=False)

    said = words(visitor.get("/"))

    assert said.index("New One") < said.index("Old One")
    assert "Secret One" not in said


def test_a_draft_is_as_unknown_as_a_product_that_never_was(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, slug="draft", published=False)

    for path in ("/p/{}", "/buy/{}"):
        draft, never = visitor.get(path.format("draft")), visitor.get(path.format("x"))
        assert draft.status_code == never.status_code == 404
        assert draft.data.replace(b"draft", b"x") == never.data.replace(b"draft", b"x")
        assert "handsel product" not in words(never)
    assert visitor.post("/buy/draft").status_code == 404


def test_markup_in_a_name_stays_a_name(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, name="<b>Bold</b> & \"Brave\" </script><script>alert('1')")

    for page in (visitor.get("/"), visitor.get("/p/book"), buy(visitor)):
        html = page.get_data(as_text=True)
        assert "<b>Bold" not in html
        assert "<script>alert" not in html
    [mail] = mails(shop)
    assert "<b>Bold" not in mail.html


def test_every_page_and_mail_of_a_test_shop_says_so(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    make.product(shop, slug="gift", price=Money(0, "EUR"))
    bought = buy(visitor)
    visitor.press_and_follow(
        visitor.get("/buy/gift"), "/buy/gift", {"email": "reader@example.com"}
    )
    visitor.press(visitor.get("/find"), "/find", {"email": "reader@example.com"})

    for page in (
        *(visitor.get(path) for path in ("/", "/p/book", "/buy/book", "/find", "/no")),
        payment_page(visitor),
        pay(visitor, payment_page(visitor), cvc=""),
        bought,
    ):
        assert "No real money moves here" in words(page)
    written = mails(shop)
    assert len(written) == 3
    for mail in written:
        assert mail.subject.startswith("[TEST]")
        assert "TEST" in mail.text
        assert "TEST" in mail.html


def test_a_public_shop_takes_no_test_money_unless_told_to(shop: Shop) -> None:
    public = with_settings(shop, "shop", url="https://books.example")
    assert public.settings.providers == []
    public = dataclasses.replace(public, providers={})
    make.product(public)
    visitor = Visitor(public)

    page = visitor.get("/p/book")

    assert "cannot be bought at the moment" in words(page)
    assert "TEST" not in words(page)
    assert "15.00" in words(page)
    refused = visitor.press(page, "/buy/book")
    assert refused.status_code >= 400
    assert "cannot take payments yet" in words(refused)
    assert visitor.get("/testpay/tp_anything").status_code == 404


def test_a_public_shop_told_to_take_test_money_marks_everything(shop: Shop) -> None:
    public = with_settings(shop, "shop", url="https://books.example")
    public = with_settings(public, "payments", enabled=["test"])
    make.product(public)
    visitor = Visitor(public)

    bought = buy(visitor)

    assert "TEST" in words(bought)
    [mail] = mails(public)
    assert mail.subject.startswith("[TEST]")
    assert f"https://books.example{bought.request.path}" in mail.text
    for cookie in bought.request.environ["HTTP_COOKIE"].split("; "):
        assert cookie.startswith("__Host-")


def test_a_link_straight_to_the_checkout_sums_it_up(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)

    page = visitor.get("/buy/book")

    assert "15.00" in words(page)
    assert form_of(page, "/buy/book").typed == []
    assert visitor.press_and_follow(page, "/buy/book").request.path.startswith(
        "/testpay/"
    )


@pytest.mark.parametrize("fields", [{}, {"press": "x" * 5000}, {"press": "\0é🙈"}])
def test_a_button_on_any_other_page_needs_no_field_of_ours(
    shop: Shop, visitor: Visitor, fields: dict[str, str]
) -> None:
    make.product(shop)

    sent = visitor.post("/buy/book", fields)

    assert sent.status_code == 303
    assert len(forms_of(visitor.go_on(sent))) == 1


def test_an_unknown_way_to_pay_is_said_to_be_so(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    refused = visitor.post("/buy/book", {"provider": "shells"})
    assert refused.status_code == 404
    assert "does not take payments that way" in words(refused)
