"""Changing what is for sale, and looking at who bought, from the command line."""

from pathlib import Path

import pytest

from handsel.ops import sample, simulation
from handsel.sales import catalogue, checkout
from handsel.sales.payments.test import TestProvider
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, real, run
from tests.ground.till import Till
from tests.ops import keeping


def test_a_product_is_changed_in_every_way(shop: Shop, tmp_path: Path) -> None:
    make.product(shop)
    words = tmp_path / "words.md"
    words.write_text("*New* words.")

    found = facts(
        shop,
        *("product", "edit", "book", "--name", " A  New Name ", "--price", "12"),
        *("--limit", "7", "--description", str(words)),
        *("--cover", str(sample.sample_cover())),
    )

    assert isinstance(found, dict)
    assert (found["name"], found["price_minor"], found["download_limit"]) == (
        "A New Name",
        1200,
        7,
    )
    with shop.reading() as session:
        product = catalogue.get(session, "book")
    assert product.description == "*New* words."
    assert (product.cover_width, product.cover_height) == (900, 1200)
    assert keeping.broken(shop) == {}


def test_a_cover_is_taken_away_by_command(shop: Shop) -> None:
    make.product(shop)
    run(shop, "product", "edit", "book", "--cover", str(sample.sample_cover()))

    both = ("--no-cover", "--cover", str(sample.sample_cover()))
    assert run(shop, "product", "edit", "book", *both).exit_code == 2
    assert run(shop, "product", "edit", "book", "--no-cover").exit_code == 0
    with shop.reading() as session:
        assert catalogue.get(session, "book").cover is None


def test_what_is_not_named_stays(shop: Shop) -> None:
    before = make.product(shop)

    run(shop, "product", "edit", "book", "--price", "12")

    with shop.reading() as session:
        after = catalogue.get(session, "book")
    assert (after.name, after.description, after.download_limit) == (
        before.name,
        before.description,
        before.download_limit,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["book"], 2),
        (["nothing", "--price", "12"], 3),
        (["book", "--name", "  "], 2),
        (["book", "--name", "x" * 201], 2),
        (["book", "--limit", "0"], 2),
        (["book", "--cover", "handsel.toml"], 2),
        (["book", "--description", "none.md"], 2),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_change_that_cannot_be_made_changes_nothing(
    shop: Shop, words: list[str], code: int
) -> None:
    before = make.product(shop)

    done = real(shop.home, "product", "edit", *words, *_another(words))

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    with shop.reading() as session:
        after = catalogue.get(session, "book")
    assert (after.name, after.price_minor) == (before.name, before.price_minor)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("0.10", "Stripe does not take less than 0.50 EUR"),
        ("15.505 KWD", "Choose 15.500 KWD or 15.510 KWD"),
        ("15 LYD", "Stripe does not take LYD"),
        ("0", ""),
        ("0.50", ""),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_price_that_nobody_could_pay_is_refused(
    till: Till, price: str, said: str
) -> None:
    make.product(till.shop)

    done = real(till.shop.home, "product", "edit", "book", "--price", price)

    assert said in done.stderr
    assert done.returncode == (2 if said else 0), done.stderr


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("15 ISK", "PayPal does not take ISK"),
        ("1500.50 HUF", "Choose 1500.00 HUF or 1501.00 HUF"),
        ("1500 JPY", ""),
        ("0.10", ""),
        ("0 ISK", ""),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_price_that_nobody_could_pay_by_paypal_is_refused(
    paypal_till: Till, price: str, said: str
) -> None:
    make.product(paypal_till.shop)

    done = real(paypal_till.shop.home, "product", "edit", "book", "--price", price)

    assert said in done.stderr
    assert done.returncode == (2 if said else 0), done.stderr


def _another(words: list[str]) -> list[str]:
    """Add a good change to the bad one: it must not be made alone."""
    return ["--price", "1"] if len(words) > 1 and "--price" not in words else []


def test_an_order_begun_at_the_old_price_is_paid_and_delivered_at_it(
    shop: Shop,
) -> None:
    make.product(shop)
    with shop.reading() as session:
        offer = checkout.prepare(session, "book", units=shop.units, now=shop.now())
    bank = shop.providers["test"]
    assert isinstance(bank, TestProvider)

    run(shop, "product", "edit", "book", "--price", "99")
    paid = simulation._pay(shop, bank, offer, "early@example.com")
    late = keeping.buy(shop)[0]

    early = keeping.order_of(shop, paid["number"])
    assert (early.price_minor, early.status) == (1500, "paid")
    assert keeping.order_of(shop, late["number"]).price_minor == 9900


def test_publishing_and_taking_off_the_shelf_can_be_repeated(shop: Shop) -> None:
    make.product(shop)

    states = [
        facts(shop, "product", word, "book")
        for word in ("unpublish", "unpublish", "publish", "publish")
    ]

    assert [each["status"] for each in states if isinstance(each, dict)] == [
        "draft",
        "draft",
        "published",
        "published",
    ]
    assert real(shop.home, "product", "publish", "nothing").returncode == 3


def test_customers_and_what_they_bought(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop, 2)
    run(shop, "order", "give", "book", "READER1@example.com")

    everybody = facts(shop, "customer", "list")
    one = facts(shop, "customer", "show", "Reader1@Example.com")
    shown = run(shop, "customer", "show", "reader1@example.com")

    assert isinstance(everybody, list)
    assert [each["email"] for each in everybody] == [
        "reader2@example.com",
        "reader1@example.com",
    ]
    assert everybody[1]["orders"] == 0
    assert everybody[1]["test_orders"] == 2
    assert isinstance(one, dict)
    assert [each["number"] for each in one["orders"]] == ["H-1003", "H-1001"]
    assert one["orders"][1]["link"] in shown.stdout


def test_nobody_with_this_address(shop: Shop) -> None:
    done = real(shop.home, "customer", "show", "nobody@example.com")

    assert done.returncode == 3
    assert "customer list" in done.stderr
    assert run(shop, "customer", "list").stdout == "No customers yet.\n"


def test_an_empty_word_is_not_everybody(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop, 1)

    assert run(shop, "customer", "show", "").exit_code == 1
    assert facts(shop, "order", "list", "--email", "") == []
    assert real(shop.home, "customer", "show", "").returncode == 3
    assert real(shop.home, "order", "resend", "1001", "--to", "").returncode == 2
    assert real(shop.home, "order", "list", "--since", "").returncode == 2
    assert real(shop.home, "order", "list", "--product", "").returncode == 3


def test_an_address_that_was_corrected_is_no_customer(shop: Shop) -> None:
    make.product(shop)
    run(shop, "simulate", "book", "--email", "wrong@example.com")

    run(shop, "order", "resend", "1001", "--to", "right@example.com")

    found = facts(shop, "customer", "list")
    assert isinstance(found, list)
    assert [each["email"] for each in found] == ["right@example.com"]
    assert real(shop.home, "customer", "show", "wrong@example.com").returncode == 3


@pytest.mark.parametrize("end", ["9999-12-31T23:59-23:00", "0001-01-01T00:00+14:00"])
def test_a_time_beyond_the_calendar_is_refused(shop: Shop, end: str) -> None:
    done = real(shop.home, "order", "list", "--since", end)

    assert done.returncode == 2
    assert "is no time" in done.stderr
