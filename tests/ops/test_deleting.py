"""A product that nobody has is deleted, all of it; whatever names it for good hinders."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from handsel.analytics.periods import read_period
from handsel.analytics.reports.tallies import By, Wanted, tally
from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.money import Money
from handsel.models import Experiment, Product
from handsel.models.words import EventKind, ExperimentState, Part
from handsel.ops import (
    beginning,
    couponing,
    drafting,
    experimenting,
    giving,
    releasing,
    removing,
)
from handsel.ops.releasing import Sending
from handsel.sales import catalogue, checkout, checks
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes, NewProduct
from handsel.sales.checkout import Buyer
from handsel.sales.releases import NewRelease
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import rows
from tests.ops import keeping
from tests.stories.buyers import bank
from tests.stories.visiting import Reader


def bundle(shop: Shop, *slugs: str) -> None:
    """Put a bundle of these on the shelf, with one product more."""
    make.product(shop, slug="other", files={"other.epub": b"other\n" * 100})
    new = NewProduct(
        slug="both",
        name="Both",
        asking=Asking(Money(2000, "EUR")),
        contents=(*slugs, "other"),
    )
    with shop.transaction() as session:
        catalogue.add(session, new, [], None, shop.now())


def take_out(shop: Shop) -> None:
    """Leave one product alone in the bundle."""
    with shop.transaction() as session:
        catalogue.edit(session, "both", Changes(contents=["other"]), shop.now())


def coupon(shop: Shop, code: str, *slugs: str) -> None:
    """Make a coupon for these products alone."""
    couponing.make(
        shop,
        code,
        percent="20",
        amount=None,
        products=slugs,
        least=None,
        starts_at=None,
        ends_at=None,
        most_uses=None,
        most_each=None,
    )


def plan(shop: Shop, *, begin: bool = False) -> None:
    """Plan an experiment with the book."""
    experimenting.create(
        shop,
        "headline",
        slug="book",
        part=Part.HEADLINE,
        typed=["a", "b=Another"],
        metric=None,
        lift="50%",
        begin=begin,
    )


def update_of(shop: Shop, content: bytes) -> None:
    """Bring out version 1.1 of the book, and mail it to nobody, for nobody bought it."""
    path = make.book_file(shop.home / "new", "book.epub", content)
    wanted = releasing.Wanted("book", [path], NewRelease("1.1"), Sending())
    releasing.publish(shop, wanted, mail=True)


def test_all_that_is_about_nothing_else_goes_along(shop: Shop, clock: Clock) -> None:
    make.product(shop, slug="twin", files={"twin.epub": make.BOOK})
    before = rows(shop)
    blobs = set(shop.storage.names())
    make.product(
        shop,
        asking=Asking(Money(1500, "EUR")),
        files={"book.epub": make.BOOK, "book.pdf": b"only here\n" * 50},
    )
    update_of(shop, b"the second edition\n" * 50)
    coupon(shop, "SPRING", "book", "twin")
    plan(shop)
    drafting.begin(shop, "book", "ada@example.com", edition=True)
    bundle(shop, "book")
    take_out(shop)
    for name in shop.storage.names():
        then = (clock() - timedelta(days=3)).timestamp()
        os.utime(shop.storage.path(name), (then, then))

    assert removing.delete_product(shop, "book") == "The Book"

    after = rows(shop)
    differ = {name for name in after if after[name] != before[name]}
    assert differ == {
        *("deleted_products", "coupons", "coupon_products"),
        # Of the bundle, and what is in it.
        *("products", "releases", "release_files", "bundle_items"),
    }
    assert (after["products"], after["bundle_items"]) == (3, 2)
    assert after["coupon_products"] == 1
    with shop.reading() as session:
        kept = catalogue.get(session, "other").files[0].sha256
    assert set(shop.storage.names()) == blobs | {kept}
    assert keeping.broken(shop) == {}
    with pytest.raises(NotFoundError):
        removing.delete_product(shop, "book")


def test_a_bundle_is_deleted_and_what_was_in_it_stays(shop: Shop) -> None:
    make.product(shop)
    bundle(shop, "book")

    removing.delete_product(shop, "both")
    removing.delete_product(shop, "book")

    with shop.reading() as session:
        assert session.scalars(select(Product.slug)).all() == ["other"]


def buy_the_bundle(shop: Shop) -> None:
    """Sell it while the book is in it, and take the book out."""
    bundle(shop, "book")
    keeping.buy(shop, slug="both")
    take_out(shop)


def begin_the_bundle(shop: Shop) -> None:
    """Let somebody set out to pay for it while the book is in it."""
    bundle(shop, "book")
    with shop.reading() as session:
        offer = checkout.prepare(session, "both", units=shop.units, now=shop.now())
    beginning.begin(shop, offer, "press", bank(shop), Buyer("a@b.example"))
    take_out(shop)


def end_an_experiment(shop: Shop) -> None:
    """Try something, and stop."""
    plan(shop)
    with shop.transaction() as session:
        session.execute(update(Experiment).values(state=ExperimentState.STOPPED))


def ask_somebody(shop: Shop, slug: str = "book") -> int:
    """Mail a link to somebody who is about to pay; give the number of their check."""
    with shop.transaction() as session:
        book = catalogue.get(session, slug).id
        return checks.ask(
            session, book, "a@b.example", {}, shop.now(), visitor=None, mails=True
        )


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (lambda shop: keeping.buy(shop, 2), "was ordered 2 times"),
        (lambda shop: giving.give(shop, "book", "a@b.example"), "was ordered once"),
        (buy_the_bundle, "came with a bundle that was bought once"),
        (begin_the_bundle, "was in both when that was ordered"),
        (lambda shop: bundle(shop, "book"), "is a part of both"),
        (end_an_experiment, "headline was tried with book"),
        (lambda shop: coupon(shop, "ALONE", "book"), "The coupon ALONE is for book"),
        (ask_somebody, "was asked to open a mail first"),
    ],
)
def test_what_names_it_for_good_hinders_and_is_said(
    shop: Shop, done: Callable[[Shop], object], said: str
) -> None:
    make.product(shop)
    done(shop)
    before = rows(shop)

    with pytest.raises(ConflictError, match=said) as refused:
        removing.delete_product(shop, "book")

    assert refused.value.hint
    assert rows(shop) == before


def test_what_was_counted_stays_and_is_never_that_of_another(shop: Shop) -> None:
    make.product(shop)
    reader = Reader(shop)
    reader.get("/p/book")
    reader.get("/p/book")
    reader.write()
    wanted = Wanted(read_period("all", shop.now().date()), By.PRODUCT)

    removing.delete_product(shop, "book")
    make.product(shop)
    reader.get("/p/book")
    reader.write()

    with shop.reading() as session:
        views = {
            each.key: each.times
            for each in tally(session, wanted)
            if each.kind is EventKind.VIEWED
        }
    reader.close()
    assert views == {"book (deleted)": 2, "book": 1}


def test_a_mail_that_was_asked_for_hinders_only_while_its_link_works(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    make.product(shop, slug="other")
    for _ in range(3):
        ask_somebody(shop)
    clock.move(minutes=59)
    with pytest.raises(ConflictError, match="asked to open a mail first"):
        removing.delete_product(shop, "book")
    clock.move(minutes=2)

    removing.delete_product(shop, "book")

    assert rows(shop)["mail_checks"] == 1
    assert ask_somebody(shop, "other") == 4  # no link opens that of somebody else


def test_the_last_product_stays_while_it_keeps_the_number_of_the_last_mail(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    ask_somebody(shop)
    clock.move(days=2)
    with shop.transaction() as session:
        checks.forget(session, shop.now())

    with pytest.raises(ConflictError, match="is the last product") as refused:
        removing.delete_product(shop, "book")
    assert "Put the next one on the shelf first" in refused.value.hint
    make.product(shop, slug="next")
    removing.delete_product(shop, "book")

    assert ask_somebody(shop, "next") == 2
