"""Experiments by command: planned, started, looked at, ended."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handsel.kit.money import Money
from handsel.models import Event, EventDay, Source
from handsel.models.words import Device, EventKind
from handsel.ops import shelving
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.prices import Price
from handsel.shop import Shop
from tests import make
from tests.cli.test_coupon import run, told
from tests.cli.test_keep import real
from tests.providers.fake_stripe import SECRET_KEY, WEBHOOK_SECRET
from tests.stories.buyers import buy
from tests.stories.trying import people
from tests.stories.visiting import Reader

HEADLINE = ("experiment", "create", "headline", "--product", "book", "--variant", "a")
B = ("--variant", "b=Read me")


@pytest.fixture
def reader(shop: Shop) -> Iterator[Reader]:
    """Somebody at the door of a shop with one book."""
    make.product(shop)
    reader = Reader(shop)
    yield reader
    reader.close()


def visited(shop: Shop, daily: int, sales: int) -> None:
    """Let so many people have looked at the book on each of the last 28 days."""
    with shop.transaction() as session:
        session.add(Source(id=1, mark="x", name="", **_NOWHERE, first_at=shop.now()))
        session.flush()
        for day in range(1, 29):
            at = shop.now() - timedelta(days=day)
            session.add(EventDay(day=at.date(), counted=False))
            session.add_all(
                _event(EventKind.VIEWED, at, visitor=n) for n in range(daily)
            )
            session.add_all(
                _event(EventKind.PAID, at, amount=1500, once=f"{day} {n}")
                for n in range(sales)
            )


_NOWHERE = dict.fromkeys(
    ("medium", "campaign", "term", "content", "referrer", "page"), ""
)


def _event(
    kind: EventKind,
    at: object,
    visitor: int | None = None,
    amount: int = 0,
    once: str | None = None,
) -> Event:
    return Event(
        kind=kind,
        at=at,
        day=at.date(),  # type: ignore[attr-defined]
        visitor=visitor,
        source_id=1,
        country="",
        device=Device.PHONE,
        product_id=1,
        test=True,
        amount_minor=amount,
        currency="EUR" if amount else "",
        once=once,
    )


def test_an_experiment_is_planned_started_shown_and_shipped(
    shop: Shop, reader: Reader
) -> None:
    planned = told(shop, *HEADLINE, *B, "--lift", "50%")
    draft = run(shop, "experiment", "show", "headline")
    told(shop, "experiment", "start", "headline")
    for variant, count in (("a", 5), ("b", 4)):
        visitors = people(shop, "headline", variant, reader)
        for visitor in [next(visitors) for _ in range(count)]:
            visitor.get("/p/book")
    buy(visitor)
    reader.write()
    shown = told(shop, "experiment", "show", "headline")
    table = run(shop, "experiment", "show", "headline").stdout
    listed = run(shop, "experiment", "list").stdout
    ended = run(shop, "experiment", "stop", "headline", "--ship", "b")

    assert (planned["state"], planned["metric"], planned["lift_bp"]) == (
        *("draft", "revenue", 5000),
    )
    assert planned["planned_visitors"] > 1000
    assert "headline is planned: headline of book" in draft.stdout
    assert "nobody came in the last 28 days" in draft.stdout
    assert [(v["visitors"], v["buyers"], v["revenue"]) for v in shown["variants"]] == [
        *((5, 0, 0), (4, 1, 375)),
    ]
    assert (shown["verdict"], shown["currency"]) == ("too_early", "EUR")
    assert shown["variants"][1]["value"] == "Read me"
    assert 0 < shown["variants"][1]["rate_low"] < 0.25
    assert shown["split_p"] == 1
    for word in (
        "25.00 %",
        "€3.75",
        "Too early to say",
        "9 of about",
        "Test purchases",
        "\na: The Book\nb: Read me\n",
    ):
        assert word in table
    assert "running" in listed
    assert "everybody sees b from now on" in ended.stdout
    assert told(shop, "product", "show", "book")["name"] == "Read me"
    assert told(shop, "experiment", "list")[0]["shipped"] == "b"
    assert (
        "headline of book, stopped, b shipped"
        in run(shop, "experiment", "show", "headline").stdout
    )


def test_the_plan_says_how_many_days_it_takes_and_what_could_be_found_sooner(
    shop: Shop, reader: Reader
) -> None:
    visited(shop, daily=100, sales=4)
    long = run(shop, *HEADLINE, *B).stdout
    short = told(
        shop,
        *("experiment", "create", "bold", "--part", "headline"),
        *("--product", "book", "--variant", "a", *B, "--lift", "100%"),
        *("--metric", "conversion"),
    )

    assert "more than a year at the pace of the last 28" in long
    assert "longer than 90 days" in long
    assert "--lift 50%\n" in long
    assert 14 <= short["planned_days"] <= 90
    assert short["planned_days"] == max(14, -(-short["planned_visitors"] // 100))


def test_a_price_is_shipped_with_what_it_stands_beside(
    shop: Shop, reader: Reader
) -> None:
    made = told(
        shop,
        *("experiment", "create", "price", "--product", "book", "--variant", "a=15"),
        *("--variant", "b=19.99 EUR", "--start"),
    )
    refused = run(shop, "product", "edit", "book", "--price", "20")
    run(shop, "experiment", "stop", "price", "--ship", "b")

    assert [each["value"] for each in made["variants"]] == ["€15.00", "€19.99"]
    assert refused.exit_code == 1
    assert "must stay as it is" in str(refused.exception)
    assert told(shop, "product", "show", "book")["price_minor"] == 1999


def test_a_product_has_words_of_its_own_on_its_button(
    shop: Shop, reader: Reader
) -> None:
    told(shop, "product", "edit", "book", "--button", "Read it")
    assert "Read it</button>" in reader.get("/p/book").get_data(as_text=True)
    told(shop, "product", "edit", "book", "--button", "")
    assert "Buy now</button>" in reader.get("/p/book").get_data(as_text=True)


def test_a_draft_is_deleted_and_what_has_found_something_is_not(
    shop: Shop, reader: Reader
) -> None:
    run(shop, *HEADLINE, *B)
    deleted = told(shop, "experiment", "delete", "headline")
    run(shop, *HEADLINE, *B, "--start")
    kept = run(shop, "experiment", "delete", "headline")

    assert deleted == {"deleted": "headline"}
    assert "what it has found stays" in str(kept.exception)
    assert len(told(shop, "experiment", "list")) == 1


def test_what_has_ended_undecided_speaks_of_no_days_left(
    shop: Shop, reader: Reader
) -> None:
    run(shop, *HEADLINE, *B, "--start")
    run(shop, "experiment", "stop", "headline")
    shown = told(shop, "experiment", "show", "headline")
    table = run(shop, "experiment", "show", "headline").stdout
    [listed] = told(shop, "experiment", "list")

    assert (shown["verdict"], shown["days_left"]) == ("undecided", None)
    assert "It ended before anything could be said" in table
    assert not {"left", "early"} & set(table.split())
    assert "verdict" not in listed
    assert "nothing was shipped" in run(shop, "experiment", "list").stdout


def test_the_empty_list_says_what_to_do(shop: Shop) -> None:
    done = run(shop, "experiment", "list")

    assert "There are no experiments." in done.stdout
    assert "handsel experiment create" in done.stderr


def test_a_draft_whose_variant_is_now_how_it_is_cannot_start(
    shop: Shop, reader: Reader
) -> None:
    run(shop, *HEADLINE, *B)
    shelving.edit_product(shop, "book", name="Read me")
    done = run(shop, "experiment", "start", "headline")

    assert "nothing to compare" in str(done.exception)


def test_a_page_of_the_sellers_own_is_told_what_to_copy(
    shop: Shop, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("experiment", "create", "page", *HEADLINE[3:], "--variant", "b")
    refused = run(shop, *words)
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", "https://ada.example.com")
    made = run(shop, *words, "--start").stdout
    ended = run(shop, "experiment", "stop", "page", "--ship", "b")

    assert "embed.origins" in str(refused.exception)
    for line in (
        '<script async src="http://127.0.0.1:8000/embed/variants.js"></script>',
        '<h1 data-handsel-variant="page:a">As it is</h1>',
        '<h1 data-handsel-variant="page:b" hidden>...</h1>',
    ):
        assert line in made
    assert "In your page, leave b alone" in ended.stderr


PRICE = ("price", "--product")
AB = ("--variant", "a", "--variant", "b=19")
WRONG = [
    (("headline", "--product", "book", "--variant", "a"), 2, "2 to 6 variants"),
    (("x", "--product", "book", "--variant", "a", *B), 2, "--part headline|"),
    (("headline", "--product", "none", "--variant", "a", *B), 3, "no product called"),
    (
        ("headline", "--product", "book", "--variant", "a", "--variant", "b"),
        2,
        "no value",
    ),
    (("headline", "--product", "book", *B, "--variant", "a=X"), 2, "is how it is now"),
    (
        ("headline", "--product", "book", "--variant", "a", "--variant", "b="),
        2,
        "1 to 200",
    ),
    (
        ("headline", "--product", "book", "--variant", "a", "--variant", "b=The Book"),
        *(2, "Two variants are the same"),
    ),
    (
        ("headline", "--product", "book", "--variant", "a", "--variant", "a=X"),
        *(2, "the same name"),
    ),
    (("headline", "--product", "book", "--variant", "A", *B), 2, "small letters"),
    (("H", "--part", "headline", "--product", "book", "--variant", "a", *B), 2, "a-z"),
    (
        ("x" * 41, "--part", "headline", "--product", "book", "--variant", "a", *B),
        *(2, "The name of an experiment has only a-z"),
    ),
    ((*HEADLINE[2:], *B, "--lift", "0.2"), 2, "may be 0.2 % or 20 %"),
    ((*PRICE, "book", "--variant", "a", "--variant", "b=15"), 2, "are the same"),
    (
        ("taken", "--part", "headline", "--product", "book", "--variant", "a", *B),
        1,
        "already",
    ),
    ((*HEADLINE[2:], *B, "--lift", "0"), 2, "no difference"),
    ((*HEADLINE[2:], *B, "--lift", "much"), 2, "no difference"),
    ((*HEADLINE[2:], *B, "--start"), 1, "taken is trying the headline"),
    (
        ("cover", *HEADLINE[3:], "--variant", "b=none.png"),
        2,
        "There is no file none.png",
    ),
    (("description", *HEADLINE[3:], "--variant", "b=none.md"), 2, "no file none.md"),
    (("button", *HEADLINE[3:], "--variant", f"b={'x' * 41}"), 2, "40 letters at most"),
    (
        ("template", *HEADLINE[3:], "--variant", "b=none.html"),
        2,
        "no readable templates",
    ),
    (
        ("template", *HEADLINE[3:], "--variant", "b=../x.html"),
        2,
        "no name of a template",
    ),
    (("page", *HEADLINE[3:], "--variant", "b"), 2, "No site may ask"),
    ((*PRICE, "book", "--variant", "a", "--variant", "b=0"), 2, "cannot be tried"),
    ((*PRICE, "book", "--variant", "a", "--variant", "b=9 USD"), 2, "is in EUR"),
    ((*PRICE, "book", "--variant", "a=16", "--variant", "b=19"), 2, "is how it is now"),
    ((*PRICE, "book", *AB, "--metric", "conversion"), 2, "always bought more often"),
    ((*PRICE, "sale", *AB), 2, "There is a sale of sale"),
    ((*PRICE, "open", *AB), 2, "name the price of open"),
    ((*PRICE, "free", *AB), 2, "free is free"),
    ((*PRICE, "abroad", *AB), 2, "several currencies"),
    ((*PRICE, "edition", *AB), 2, "one of several editions"),
    (
        (
            "headline",
            "--product",
            "abroad",
            "--variant",
            "a",
            *B,
            "--metric",
            "revenue",
        ),
        *(2, "cannot be added up"),
    ),
    (
        ("headline", "--product", "free", "--variant", "a", *B, "--metric", "revenue"),
        *(2, "no visitor brings anything"),
    ),
]


@pytest.fixture
def shelf(shop: Shop) -> Shop:
    """A shop with products of every kind, and one experiment that runs."""
    eur = Money(1500, "EUR")
    kinds = {
        "book": Asking(eur),
        "sale": Asking(eur, sale=Money(900, "EUR")),
        "open": Asking(eur, open_price=True),
        "free": Asking(Money(0, "EUR")),
        "abroad": Asking(eur, also=(Price(Money(1700, "USD")),)),
        "edition": Asking(eur),
    }
    for slug, asked in kinds.items():
        make.product(shop, slug=slug, asking=asked)
    shelving.edit_product(shop, "edition", family="f", edition="e")
    told(
        shop,
        "experiment",
        "create",
        "taken",
        *HEADLINE[3:],
        *B,
        "--part",
        "headline",
        "--start",
    )
    return shop


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_tried_is_said_and_nothing_begins(
    shelf: Shop, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run(shelf, "experiment", "create", *words)

    assert said in done.output + str(done.exception)
    assert (getattr(done.exception, "exit_code", None) or done.exit_code) == code
    assert [each["name"] for each in told(shelf, "experiment", "list")] == ["taken"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_not_there_or_over_is_said(shelf: Shop) -> None:
    for words, said in (
        (("show", "none"), "no experiment called none"),
        (("stop", "none"), "no experiment called none"),
        (("stop", "taken", "--ship", "z"), "no variant z"),
        (("start", "taken"), "was started before"),
    ):
        done = real(shelf.home, "experiment", *words)
        assert said in done.stderr, words
        assert "Traceback" not in done.stderr
    run(shelf, "experiment", "stop", "taken")
    assert "does not run" in real(shelf.home, "experiment", "stop", "taken").stderr
    as_json = real(shelf.home, "experiment", "show", "none", "--json")
    assert json.loads(as_json.stdout)["error"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_template_of_the_sellers_that_prints_nothing_of_it_is_named(
    shelf: Shop,
) -> None:
    page = '{% extends "base.html" %}{% block main %}{{ product.name }}{% endblock %}'
    make.book_file(shelf.home / "templates", "product.html", page.encode())
    done = run(
        shelf, "experiment", "create", "h2", *HEADLINE[3:], *B, "--part", "headline"
    )

    assert "does not print product.headline" in str(done.exception)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_two_ways_to_pay_the_words_of_a_button_name_them(
    shelf: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HANDSEL_ENV", "test")
    monkeypatch.setenv("HANDSEL_STRIPE__SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("HANDSEL_STRIPE__WEBHOOK_SECRET", WEBHOOK_SECRET)
    monkeypatch.setenv("HANDSEL_PAYMENTS__ENABLED", "stripe,test")
    words = ("experiment", "create", "button", *HEADLINE[3:], "--variant")
    done = run(shelf, *words, "b=Get it")
    assert "{provider}" in str(done.exception)
    told(shelf, *words, "b=Get it with {provider}")
    with shelf.reading() as session:
        assert catalogue.get(session, "book").button is None
