"""A headline of the seller's own page, on another site, and what it sells."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from handsel.ops import experimenting
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import words
from tests.stories.buyers import pay
from tests.stories.test_embedding import button
from tests.stories.test_price_promise import price_on
from tests.stories.trying import begin, counted, one
from tests.stories.visiting import Reader

SITE = "https://ada.example.com"


@pytest.fixture
def listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller's site, in the settings of the shop."""
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", SITE)


@pytest.fixture
def shop(listed: None, shop: Shop) -> Shop:
    """A shop whose seller has a site."""
    return shop


@pytest.fixture
def reader(shop: Shop) -> Iterator[Reader]:
    """Somebody on a page of the seller's, of which two headlines are tried."""
    make.product(shop)
    begin(shop, "page", "a", "b", name="headline")
    reader = Reader(shop)
    yield reader
    reader.close()


def ask(reader: Reader, names: str = "headline", origin: str = SITE) -> TestResponse:
    """Ask what to show, as the script does."""
    return reader.get(f"/embed/variants?e={names}", headers={"Origin": origin})


def said(reader: Reader, names: str = "headline") -> dict[str, str]:
    """Give what the answer says of each experiment."""
    found = ask(reader, names).json
    assert isinstance(found, dict)
    return found


def told(reader: Reader, name: str = "headline") -> str:
    """Ask, and give our word for it, as it goes along to the shop."""
    return f"{name}.{said(reader)[name]}"


def shown(reader: Reader, word: str) -> TestResponse:
    """Tell the shop that it was shown."""
    return reader.tell(f'{{"v":1,"kind":"shown","variant":"{word}"}}', origin=SITE)


def test_the_script_is_small_and_knows_the_listed_sites(
    shop: Shop, reader: Reader
) -> None:
    answer = reader.get("/embed/variants.js")

    assert answer.mimetype == "text/javascript"
    assert len(answer.data) < 2000
    assert f'["{SITE}",' in answer.get_data(as_text=True)
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_a_reader_is_told_what_to_show_and_counts_when_it_was(
    shop: Shop, reader: Reader
) -> None:
    visitor = one(shop, "headline", "b", reader)
    answer = ask(visitor)
    word = told(visitor)

    assert set(said(visitor)) == {"headline"}
    assert said(visitor)["headline"].startswith("b.")
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert counted(reader, "headline") == [(0, 0, 0), (0, 0, 0)]
    assert shown(visitor, word).status_code == 204
    shown(visitor, word)
    assert counted(reader, "headline") == [(0, 0, 0), (1, 0, 0)]


@pytest.mark.parametrize("moves", [False, True])
def test_what_was_shown_goes_along_to_the_sale_from_wherever_it_is_paid(
    shop: Shop, reader: Reader, moves: bool
) -> None:
    visitor = one(shop, "headline", "b", reader)
    word = told(visitor)
    shown(visitor, word)
    buyer = one(shop, "headline", "a", reader) if moves else visitor
    page = buyer.get(f"/buy/book?variant={word}&utm_source=x")
    pay(buyer, buyer.press_and_follow(page, "/buy/book"))

    assert counted(reader, "headline") == [(0, 0, 0), (1, 1, 1500)]


def test_a_visitor_whose_links_say_nothing_is_known_by_the_address(
    shop: Shop, reader: Reader
) -> None:
    visitor = one(shop, "headline", "b", reader)
    shown(visitor, told(visitor))
    pay(visitor, visitor.press_and_follow(visitor.get("/p/book"), "/buy/book"))

    assert counted(reader, "headline") == [(0, 0, 0), (1, 1, 1500)]


def test_who_never_saw_the_page_or_says_it_of_themselves_counts_for_nothing(
    shop: Shop, reader: Reader
) -> None:
    for word in ("headline.b", "headline.b.7.x", "none.a.1.x", ""):
        page = reader.get(f"/buy/book?variant={word}")
        assert shown(reader, word).status_code == 204
        pay(reader, reader.press_and_follow(page, "/buy/book"))

    assert counted(reader, "headline") == [(0, 0, 0), (0, 0, 0)]


@pytest.mark.parametrize("says", [{"User-Agent": "curl/8"}, {"DNT": "1"}])
def test_machines_and_those_who_ask_for_it_are_told_nothing(
    shop: Shop, reader: Reader, says: dict[str, str]
) -> None:
    assert ask(Reader(shop, says=says, of=reader)).json == {}


def test_other_sites_and_other_experiments_are_told_nothing(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", "b=Read me", name="inside")

    for origin in ("https://evil.example", "null", "", shop.settings.public_url):
        assert ask(reader, origin=origin).status_code == 403
    assert said(reader, "inside,none,,headline,x%27").keys() == {"headline"}
    assert ask(reader, "").json == {}


def test_the_variant_that_is_shipped_is_shown_to_everybody_and_counts_for_nothing(
    shop: Shop, reader: Reader
) -> None:
    visitor = one(shop, "headline", "a", reader)
    word = told(visitor)
    experimenting.stop(shop, "headline", "b")

    assert ask(visitor).json == {"headline": "b"}
    assert ask(Reader(shop, says={"DNT": "1"}, of=reader)).json == {"headline": "b"}
    shown(visitor, word)
    assert counted(reader, "headline") == [(0, 0, 0), (0, 0, 0)]


def test_an_experiment_that_is_stopped_shows_the_page_as_it_was_written(
    shop: Shop, reader: Reader
) -> None:
    experimenting.stop(shop, "headline", None)

    assert ask(reader).json == {}


def test_if_experiments_cannot_be_read_the_page_is_as_it_was_written(
    shop: Shop, reader: Reader
) -> None:
    word = told(reader)
    with shop.transaction() as session:
        for name in (
            *("order_variants", "exposures", "experiment_variants", "experiments"),
        ):
            session.execute(text(f"DROP TABLE {name}"))

    assert ask(reader).json == {}
    assert shown(reader, word).status_code == 204
    page = reader.get(f"/buy/book?variant={word}")
    paid = pay(reader, reader.press_and_follow(page, "/buy/book"))
    assert paid.request.path.startswith("/d/")


# The price in what is embedded


def test_a_price_in_a_frame_is_the_same_in_the_shop_also_from_elsewhere(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "price", "a", "b=19")
    visitor = one(shop, "price", "b", reader)
    framed = visitor.get("/embed/p/book")
    assert price_on(framed) == "€19.00"
    assert framed.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in framed.headers
    quiet = Reader(shop, says={"DNT": "1"}, of=reader).get("/embed/p/book")
    assert quiet.headers["Cache-Control"] == "private, no-store"

    away = one(shop, "price", "a", reader)
    page = away.get(button(framed))
    assert price_on(page) == "€19.00"
    assert price_on(away.get("/p/book")) == "€19.00"
    assert "€19.00" in words(pay(away, away.press_and_follow(page, "/buy/book")))
    # Counted is the visitor of the frame: whoever came by its link may be anybody.
    assert [each[:2] for each in counted(reader, "price")] == [(0, 0), (1, 0)]


def test_a_frame_without_a_price_of_its_own_may_be_kept_for_a_minute(
    shop: Shop, reader: Reader
) -> None:
    assert reader.get("/embed/p/book").headers["Cache-Control"].startswith("public")
