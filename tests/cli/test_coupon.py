"""Making coupons, many at once, looking at them, ending them; and prices of products."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handsel.cli import handsel
from handsel.kit.money import Money
from handsel.models.database import Database
from handsel.sales import catalogue
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import real
from tests.ground.shops import Clock


def run(shop: Shop, *words: str) -> Result:
    """Run a command of the shop, in this process."""
    return CliRunner().invoke(handsel, [*words, "--home", str(shop.home)])


def told(shop: Shop, *words: str) -> Any:
    """Run a command with --json, and give its answer."""
    done = run(shop, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_coupon_is_made_and_used_and_shown(shop: Shop) -> None:
    make.product(shop)

    made = told(
        shop, "coupon", "create", "spring 25", "--percent", "12.5", "--product", "book"
    )
    told(shop, "simulate", "book", "--email", "a@example.com", "--coupon", "Spring25")
    shown = told(shop, "coupon", "show", "spring25")
    [order] = told(shop, "order", "list")
    listed = run(shop, "coupon", "list").stdout

    assert (made["code"], made["takes_off"]) == ("SPRING25", "12.5 %")
    assert made["links"] == ["http://127.0.0.1:8000/p/book?coupon=SPRING25"]
    assert (shown["uses"], shown["state"]) == (1, "counts")
    assert (order["amount_minor"], order["discount_minor"]) == (1312, 188)
    assert order["coupon"] == "SPRING25"
    assert "SPRING25" in listed
    assert "12.5 %" in listed
    assert "1/-" in listed


def test_many_are_made_at_once_each_for_one_use(shop: Shop) -> None:
    made = told(shop, "coupon", "create", "GIFT", "--amount", "5", "--many", "300")
    again = told(shop, "coupon", "create", "gift", "--amount", "6", "--many", "2")
    listed = told(shop, "coupon", "list", "--batch", "gift")
    printed = run(shop, "coupon", "create", "CARD", "--percent", "5", "--many", "3")

    codes = {each["code"] for each in [*made, *again]}
    assert len(codes) == 302 == len(listed)
    assert all(code.startswith("GIFT-") and len(code) == 15 for code in codes)
    assert {each["most_uses"] for each in made} == {1}
    assert len(printed.stdout.split()) == 3


def test_a_coupon_is_ended_and_revived(shop: Shop) -> None:
    run(shop, "coupon", "create", "ONE", "--percent", "10")

    states = [
        told(shop, "coupon", word, "one")["state"]
        for word in ("end", "end", "revive", "revive")
    ]

    assert states == ["ended", "ended", "counts", "counts"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["X"], 2, "Say what the coupon takes off"),
        (["X", "--percent", "5", "--amount", "5"], 2, "Either --percent"),
        (["X", "--percent", "0"], 2, "no part of a price"),
        (["X", "--percent", "101"], 2, "no part of a price"),
        (["X", "--percent", "1.234"], 2, "no part of a price"),
        (["X", "--percent", "-5"], 2, "no part of a price"),
        (["X", "--percent", "٢٠"], 2, "no part of a price"),
        (["X", "--amount", "0"], 2, "takes off something"),
        (["X", "--amount", "free"], 2, "is not a price"),
        (["", "--percent", "5"], 2, "A coupon's code"),
        (["MÜNZE", "--percent", "5"], 2, "A coupon's code"),
        (["X" * 25, "--percent", "5"], 2, "A coupon's code"),
        (["../X", "--percent", "5"], 2, "A coupon's code"),
        (["TAKEN", "--percent", "5"], 1, "There is a coupon TAKEN already"),
        (["X", "--percent", "5", "--product", "none"], 3, "no product called none"),
        (["X", "--percent", "5", "--until", "2001-01-01"], 2, "over before it begins"),
        (["X", "--percent", "5", "--until", "tomorrow"], 2, "Write it like 2027"),
        (
            ["X", "--percent", "5", "--from", "2031-02-01", "--until", "2031-01-01"],
            2,
            "over before it begins",
        ),
        (["X", "--amount", "5 USD", "--least", "9"], 2, "two currencies"),
        (["X", "--percent", "5", "--least", "0"], 2, "least price is nothing"),
        (["X", "--percent", "5", "--most", "0"], 2, "--most"),
        (["X" * 20, "--percent", "5", "--many", "2"], 2, "too long to make many"),
        (["X", "--percent", "5", "--many", "10001"], 2, "--many"),
        (["X", "--percent", "5", "--most", "99999999999"], 2, "--most"),
        (["X", "--percent", "5", "--until", "9999-12-31"], 2, "Write it like 2027"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_coupon_that_cannot_be_is_said_and_nothing_is_made(
    shop: Shop, words: list[str], code: int, said: str
) -> None:
    run(shop, "coupon", "create", "TAKEN", "--percent", "10")

    done = real(shop.home, "coupon", "create", *words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [each["code"] for each in told(shop, "coupon", "list")] == ["TAKEN"]


def test_a_coupon_that_is_not_there_is_said(shop: Shop) -> None:
    for word in ("show", "end", "revive"):
        done = real(shop.home, "coupon", word, "none")
        assert done.returncode == 3
        assert "There is no coupon NONE" in done.stderr


def test_a_product_is_named_twice_without_harm(shop: Shop) -> None:
    make.product(shop)
    twice = ("--product", "book", "--product", "book")
    made = told(shop, "coupon", "create", "X", "--percent", "5", *twice)
    assert made["products"] == ["book"]


def test_a_sale_that_is_over_is_in_nobodys_way_and_a_new_one_keeps_the_rest(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    edit = ("product", "edit", "book")
    told(shop, *edit, "--also", "17 USD", "--sale", "9", "--sale", "11 USD",
         "--sale-until", "2031-01-31")  # fmt: skip

    lower = told(shop, *edit, "--sale", "8")
    with shop.transaction() as session:
        catalogue.get(session, "book").sale_ends_at = shop.now() - timedelta(days=1)
    after = told(shop, *edit, "--price", "7")

    assert lower["sale_ends_at"]
    assert lower["also"][0]["sale_minor"] == 1100
    assert (after["price_minor"], after["sale_minor"]) == (700, None)


def test_a_number_alone_is_in_the_products_own_currency(shop: Shop) -> None:
    make.product(shop, price=Money(2000, "USD"))
    edited = told(shop, "product", "edit", "book", "--price", "12", "--sale", "9")
    assert (edited["price_minor"], edited["currency"]) == (1200, "USD")
    assert edited["sale_minor"] == 900


def test_a_date_alone_counts_to_its_last_minute(shop: Shop) -> None:
    made = told(
        shop, "coupon", "create", "X", "--percent", "5", "--until", "2031-05-31"
    )
    exact = told(
        shop,
        *("coupon", "create", "Y", "--percent", "5"),
        *("--until", "2031-05-31T18:00+00:00"),
    )
    assert made["ends_at"] > "2031-05-31T11"
    assert "2031-05-31  everything" in run(shop, "coupon", "list").stdout
    assert exact["ends_at"] == "2031-05-31T18:00:00+00:00"


def test_a_sale_and_an_open_price_are_set_and_taken_back(shop: Shop) -> None:
    make.product(shop)
    edit = ("product", "edit", "book")

    sale = told(shop, *edit, "--sale", "9.99", "--sale-until", "2031-12-24")
    over = told(shop, *edit, "--no-sale")
    opened = told(
        shop,
        *edit,
        "--open-price",
        "--price",
        "5",
        *("--suggest", "10"),
        "--suggest",
        "20",
    )
    fixed = told(shop, *edit, "--fixed-price")

    assert sale["sale_minor"] == 999
    assert "now €9.99 until 2031-12-" in sale["price"]
    assert (over["sale_minor"], over["sale_ends_at"]) == (None, None)
    assert (opened["price"], opened["suggestions_minor"]) == (
        "€5.00 or more",
        [1000, 2000],
    )
    assert (fixed["price"], fixed["open_price"]) == ("€5.00", False)
    assert fixed["suggestions_minor"] == []


def test_prices_in_several_currencies_are_set_and_taken_back(shop: Shop) -> None:
    make.product(shop)
    edit = ("product", "edit", "book")

    both = told(shop, *edit, "--also", "17 USD", "--also", "2500 JPY")
    sale = told(shop, *edit, "--sale", "9", "--sale", "11 USD")
    dearer = told(shop, *edit, "--also", "18 USD")
    over = told(shop, *edit, "--no-sale")
    alone = told(shop, *edit, "--only-currency")

    assert both["price"] == "€15.00 or ¥2,500 or $17.00"
    assert [each["sale_minor"] for each in sale["also"]] == [None, 1100]
    assert [each["price_minor"] for each in dearer["also"]] == [2500, 1800]
    assert [each["sale_minor"] for each in dearer["also"]] == [None, 1100]
    assert [each["sale_minor"] for each in over["also"]] == [None, None]
    assert alone["also"] == []


def test_an_edition_joins_a_family_and_leaves_it(shop: Shop) -> None:
    make.product(shop)
    make.product(shop, slug="two", name="Two")
    edit = ("product", "edit", "book")

    joined = told(shop, *edit, "--family", "work", "--edition", "Text")
    twice = run(shop, "product", "edit", "two", "--family", "work", "--edition", "Text")
    left = told(shop, *edit, "--family", "")

    assert (joined["family"], joined["edition"]) == ("work", "Text")
    assert twice.exit_code == 1
    assert "is the edition “Text” of work already" in str(twice.exception)
    assert (left["family"], left["edition"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sale", "15"], "is not below the usual price"),
        (["--sale", "9 USD"], "The price is in EUR, the sale in USD."),
        (["--sale-until", "2031-12-24"], "There is no sale to end."),
        (["--sale", "9", "--sale-until", "2001-12-24"], "over already"),
        (["--sale", "9", "--open-price"], "there is no sale"),
        (["--suggest", "20"], "only suggested where buyers name the price"),
        (["--open-price", "--suggest", "5"], "less than the least price"),
        (["--also", "17"], "two prices in one currency"),
        (["--also", "0 USD"], "is no price"),
        (["--price", "0", "--also", "17 USD"], "free is so in any currency"),
        (["--also", "17 USD", "--open-price"], "it is in one currency"),
        (["--also", "17 USD", "--sale", "9", "--sale", "17 USD"], "not below"),
        (["--sale", "9", "--sale", "9 USD"], "There is no price in USD"),
        (["--family", "work"], "An edition has a name"),
        (["--edition", "Text"], "An edition has a name"),
        (["--family", "My Work", "--edition", "Text"], "Try: my-work"),
        (["--contains", "book"], "cannot be in"),
        ([], "Say what to change"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_price_that_cannot_be_changes_nothing(
    shop: Shop, words: list[str], said: str
) -> None:
    make.product(shop)
    before = told(shop, "product", "show", "book")

    done = real(shop.home, "product", "edit", "book", *words)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert told(shop, "product", "show", "book") == before


def test_a_batch_is_ended_and_revived_at_once(shop: Shop) -> None:
    make.product(shop)
    run(shop, "coupon", "create", "ALONE", "--percent", "5")
    run(shop, "coupon", "create", "FAIR", "--percent", "5", "--many", "3")

    assert run(shop, "coupon", "end", "--batch", "fair").stdout == (
        "Coupons that count no more: 3.\n"
    )
    states = {each["code"]: each["state"] for each in told(shop, "coupon", "list")}
    assert states.pop("ALONE") == "counts"
    assert set(states.values()) == {"ended"}
    assert told(shop, "coupon", "revive", "--batch", "FAIR") == {"switched": 3}
    states = {each["code"]: each["state"] for each in told(shop, "coupon", "list")}
    assert set(states.values()) == {"counts"}

    for words, code in ((["--batch", "NONE"], 3), ([], 2), (["X", "--batch", "F"], 2)):
        done = run(shop, "coupon", "end", *words)
        assert getattr(done.exception, "exit_code", done.exit_code) == code


def test_a_bundle_is_emptied_only_if_something_is_left_to_sell(shop: Shop) -> None:
    make.product(shop)
    make.product(shop, slug="font", name="The Font")
    run(
        shop,
        *("product", "add", "--name", "Both", "--price", "20"),
        *("--contains", "book", "--contains", "font"),
    )
    run(shop, "product", "edit", "font", "--contains", "book")

    refused = run(shop, "product", "edit", "both", "--contains", "")
    emptied = run(shop, "product", "edit", "font", "--contains", "")

    assert "nothing would be in it" in str(refused.exception)
    assert told(shop, "product", "show", "both")["contains"] == ["book", "font"]
    assert emptied.exit_code == 0
    assert told(shop, "product", "show", "font")["contains"] == []


def test_uses_counted_wrongly_are_found(shop: Shop) -> None:
    make.product(shop)
    run(shop, "coupon", "create", "X", "--percent", "5")
    told(shop, "simulate", "book", "--email", "a@example.com", "--coupon", "X")
    _spoil(shop.database)

    done = told_broken(shop)

    assert "Coupons counted wrongly: X" in done["I9"]


def _spoil(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE coupons SET uses = 7")


def told_broken(shop: Shop) -> dict[str, str]:
    """Give what `verify` finds wrong."""
    done = run(shop, "verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)["invariants"]
    return {each["id"]: each["detail"] for each in found if not each["ok"]}
