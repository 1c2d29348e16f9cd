"""A shop sells from the seller's own pages: what it gives them, as far as a server can."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from handsel.kit.money import Money
from handsel.ops import shelving
from handsel.ops.sample import sample_cover
from handsel.sales.asking import Asking
from handsel.settings.embed import TRIAL
from handsel.shop import Shop, open_shop
from handsel.web import carried
from tests import make
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import buy, pay, with_settings
from tests.stories.test_coupons import coupon
from tests.web.test_carried import WHOLE

SITES = ["https://ada.example.com", "https://www.ada.example.com"]
ABOUT_ADA = {"url": "http://127.0.0.1:8000/p/book"}


@pytest.fixture
def listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller's sites, in the settings of the shop."""
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", ",".join(SITES))


@pytest.fixture
def shop(listed: None, shop: Shop) -> Shop:
    """A shop whose seller has sites."""
    return shop


def button(page: TestResponse) -> str:
    """Give where the button of a framed page leads; it leads out of the frame."""
    found = re.findall(
        r'<a class="button" href="([^"]+)" target="_top">', page.get_data(as_text=True)
    )
    assert len(found) == 1, words(page)
    return unescape(found[0])


# The script


def test_the_script_is_small_and_knows_the_listed_sites(
    shop: Shop, visitor: Visitor
) -> None:
    answer = visitor.get("/embed.js?v=1")
    script = answer.get_data(as_text=True)

    assert answer.mimetype == "text/javascript"
    assert len(answer.data) < 5000
    sites = [*SITES, *TRIAL]  # the page on which a shop on this machine is tried
    assert f"{json.dumps(sites, separators=(',', ':'))}.includes" in script
    assert len(re.findall(r"https?://", script)) == len(sites)
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_it_stays_small_for_who_has_many_sites(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = [f"https://shop{place}.example.com" for place in range(6)]
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", ",".join(sites))
    many = open_shop(shop.home)
    script = Visitor(many).get("/embed.js")
    assert all(each in script.get_data(as_text=True) for each in sites)
    assert len(script.data) < 5000
    many.close()


def test_it_looks_for_the_session_of_the_shops_own_stream(shop: Shop) -> None:
    counting = with_settings(shop, "analytics", ga4_id="G-ABC123")
    assert "\\b_ga_ABC123=GS" in Visitor(counting).get("/embed.js").get_data(
        as_text=True
    )
    assert r"\b_ga_\w+=GS" in Visitor(shop).get("/embed.js").get_data(as_text=True)


def test_the_script_is_kept_for_an_hour_and_asked_for_again_in_vain(
    shop: Shop, visitor: Visitor
) -> None:
    first = visitor.get("/embed.js?v=1")
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = visitor.get(
        "/embed.js?v=1", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("version", ["", "?v=1", "?v=2", "?v=x"])
def test_old_snippets_and_those_of_the_future_get_a_script(
    shop: Shop, visitor: Visitor, version: str
) -> None:
    assert visitor.get(f"/embed.js{version}").data == visitor.get("/embed.js").data


def test_without_sites_the_script_opens_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDSEL_EMBED__ORIGINS")
    monkeypatch.setenv("HANDSEL_SHOP__URL", "https://books.example.com")
    alone = open_shop(shop.home)
    assert "[].includes" in Visitor(alone).get("/embed.js").get_data(as_text=True)
    alone.close()


# The page in the frame


@pytest.mark.parametrize("kind", ["", "&card"])
def test_the_framed_page_leads_out_of_the_frame_with_all_it_was_told(
    shop: Shop, visitor: Visitor, kind: str
) -> None:
    make.product(shop)
    coupon(shop)
    told = urlencode(WHOLE | {"coupon": "SPRING", "v": "1"})
    page = visitor.get(f"/embed/p/book?{told}{kind}")

    assert "The Book" in words(page)
    assert "€12.00" in words(page)
    leads = urlsplit(button(page))
    assert leads.path == "/buy/book"
    assert dict(parse_qsl(leads.query)) == WHOLE | {"coupon": "SPRING"}

    summary = visitor.get(button(page))
    fields = form_of(summary, "/buy/book").fields
    assert carried.of(fields) == WHOLE
    assert fields["coupon"] == "SPRING"
    paid = pay(visitor, visitor.press_and_follow(summary, "/buy/book"))
    assert paid.request.path.startswith("/d/")


def test_it_has_no_form_and_every_link_in_it_leads_out(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    html = visitor.get("/embed/p/book").get_data(as_text=True)
    assert "<form" not in html
    assert len(re.findall("<a ", html)) == html.count('target="_top"') == 2


def test_it_knows_nobody_and_gives_no_cookie(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    stranger = Visitor(shop).get("/embed/p/book")
    buy(visitor)
    assert "handsel_visitor" in str(visitor.client._cookies)

    for path in ("/embed/p/book", "/embed/p/book?card", "/embed.js", "/oembed?url=x"):
        for who in (visitor, Visitor(shop)):
            assert "Set-Cookie" not in who.get(path).headers, path
    assert visitor.get("/embed/p/book").data == stranger.data


def test_what_is_free_open_or_unknown(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, slug="free", asking=Asking(Money(0, "EUR")))
    make.product(shop, slug="open", asking=Asking(Money(500, "EUR"), open_price=True))
    make.product(shop, slug="draft", published=False)

    assert "Get it free" in words(visitor.get("/embed/p/free"))
    opened = visitor.get("/embed/p/open")
    assert urlsplit(button(opened)).path == "/p/open"
    assert "€5.00 or more" in words(opened)
    assert visitor.get("/embed/p/draft").status_code == 404
    assert visitor.get("/embed/p/none").status_code == 404


def test_a_coupon_that_does_not_count_is_said(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = visitor.get("/embed/p/book?coupon=NONE")
    assert "coupon" in words(page).lower()
    assert "coupon" not in button(page)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (SITES[0], 204),
        (TRIAL[0], 204),
        ("http://127.0.0.1:8011", 403),
        ("https://elsewhere.example", 403),
    ],
)
def test_what_pages_of_the_sellers_report_is_taken_and_of_nobody_else(
    shop: Shop, visitor: Visitor, origin: str, status: int
) -> None:
    make.product(shop)
    told = json.dumps({"v": 1, "kind": "viewed", "product": "book"})
    answer = visitor.client.post("/e", data=told, headers={"Origin": origin})
    assert answer.status_code == status
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


# oEmbed


def test_programs_that_show_links_find_out_what_is_sold(
    shop: Shop, visitor: Visitor
) -> None:
    product = make.product(shop)
    shelving.edit_product(shop, "book", cover=sample_cover())
    page = visitor.get("/p/book").get_data(as_text=True)
    [told] = re.findall(
        r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page
    )
    found = visitor.get(unescape(told))

    assert found.mimetype == "application/json"
    said = found.get_json()
    cover = said.pop("thumbnail_url")
    assert said == {
        "version": "1.0",
        "type": "link",
        "title": product.name,
        "author_name": "Ada's Books",
        "author_url": "http://127.0.0.1:8000",
        "provider_name": "Ada's Books",
        "provider_url": "http://127.0.0.1:8000",
        "cache_age": 3600,
        "thumbnail_width": 900,
        "thumbnail_height": 1200,
    }
    shown = visitor.get(cover)
    assert shown.mimetype == "image/png"
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_picture_that_is_larger_than_asked_for_is_left_out(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    shelving.edit_product(shop, "book", cover=sample_cover())
    asked = f"/oembed?{urlencode(ABOUT_ADA)}"
    assert "thumbnail_url" in visitor.get(f"{asked}&maxwidth=900").get_json()
    assert "thumbnail_url" not in visitor.get(f"{asked}&maxheight=600").get_json()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"url": "http://127.0.0.1:8000/buy/book?coupon=A"}, 200),
        ({"url": "http://127.0.0.1:8000/p/nothing"}, 404),
        ({"url": "http://127.0.0.1:8000/find"}, 404),
        ({"url": "https://elsewhere.example/p/book"}, 404),
        ({"url": "http://127.0.0.1:8000.elsewhere.example/p/book"}, 404),
        ({"url": "http://[/p/book"}, 404),
        ({"url": "http://127.0.0.1:8000/p/bo\0ok"}, 404),
        ({}, 404),
        (ABOUT_ADA | {"format": "xml"}, 501),
        (ABOUT_ADA | {"maxwidth": "wide"}, 200),
    ],
)
def test_what_is_asked_of_oembed(
    shop: Shop, visitor: Visitor, asked: dict[str, str], status: int
) -> None:
    make.product(shop)
    assert visitor.get(f"/oembed?{urlencode(asked)}").status_code == status
