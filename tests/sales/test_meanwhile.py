"""Two who change the same product: the later one is told, and nothing is lost."""

import threading

import pytest

from handsel.kit.money import Money
from handsel.models import ProductPrice
from handsel.ops import shelving
from handsel.sales import catalogue, marks
from handsel.sales.marks import ChangedMeanwhileError
from handsel.shop import Shop
from tests import make


def mark(shop: Shop) -> str:
    """What the book is like now."""
    with shop.reading() as session:
        return marks.of(catalogue.get(session, "book"))


def test_a_product_is_known_again_until_something_of_it_is_different(
    shop: Shop,
) -> None:
    make.product(shop)
    make.product(shop, slug="song")
    seen = {mark(shop)}
    shelving.edit_product(shop, "book", name="The Book")  # as it was
    assert mark(shop) in seen
    with shop.transaction() as session:
        catalogue.show(session, "book", published=False)  # by another button
    assert mark(shop) in seen
    changes = (
        {"name": "Another"},
        {"description": "Other words."},
        {"price": "16"},
        {"also": ["17 USD"]},
        {"sale": ["9"]},
        {"no_sale": True, "only_currency": True, "open_price": True},
        {"suggest": ["20"]},
        {"limit": 4},
        {"tax_class": "ebook"},
        {"contains": ["song"]},
        {"family": "books", "edition": "First"},
        {"button": "Get it"},
    )
    for each in changes:
        shelving.edit_product(shop, "book", **each)
        assert mark(shop) not in seen, each
        seen.add(mark(shop))


def test_of_two_at_the_same_moment_one_is_told(shop: Shop) -> None:
    make.product(shop)
    seen, together = mark(shop), threading.Barrier(4)
    told: list[str] = []

    def change(number: int) -> None:
        together.wait()
        try:
            shelving.edit_product(shop, "book", limit=10 + number, seen=seen)
        except ChangedMeanwhileError as error:
            told.append(str(error))

    threads = [threading.Thread(target=change, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 3
    assert "was changed by somebody else" in told[0]


def test_whoever_says_no_mark_changes_what_there_is(shop: Shop) -> None:
    make.product(shop)
    shelving.edit_product(shop, "book", limit=9)
    shelving.edit_product(shop, "book", name="Later")
    with shop.reading() as session:
        found = catalogue.get(session, "book")
    assert (found.name, found.download_limit) == ("Later", 9)


def test_a_note_is_written_in_the_same_transaction_or_not_at_all(shop: Shop) -> None:
    make.product(shop)

    class NotNotedError(Exception):
        pass

    def refuse(_: object) -> None:
        raise NotNotedError

    with pytest.raises(NotNotedError):
        shelving.edit_product(shop, "book", also=["17 USD"], witness=refuse)
    with shop.reading() as session:
        assert session.query(ProductPrice).count() == 0
        assert catalogue.get(session, "book").price_minor == Money(1500, "EUR").minor
