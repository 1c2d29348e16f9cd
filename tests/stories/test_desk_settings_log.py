"""What the log says of a setting: what it was and became, and no password in it."""

from typing import Any

import pytest
from sqlalchemy import select

from handsel.models import AuditEntry
from handsel.settings import load_settings
from handsel.shop import Shop
from tests.ground.visitor import words
from tests.stories.desks import Seller

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def change(seller: Seller, shop: Shop, path: str, name: str, typed: str) -> Any:
    """Change one setting; give what the log says of its value."""
    page = seller.get(f"/admin/settings/{path}")
    answer = seller.do(page, f"/admin/settings/{path}", {name: typed})
    assert "Saved:" in words(answer), words(answer)
    newest = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)
    with shop.reading() as session:
        entry = session.scalars(newest).one()
    assert (entry.action, entry.subject) == ("settings.changed", name)
    return entry.detail["value"]


@on_sqlite
@pytest.mark.parametrize(
    ("path", "name", "typed", "default", "said"),
    [
        ("shop", "shop.address", "Mill 1\nBath", "", "Mill 1, Bath"),
        ("analytics", "analytics.own", "false", "true", "false"),
        ("embed", "embed.origins", "https://a.example\nhttps://b.example", "", None),
        ("shop", "shop.locale", "ar", "en", "ar"),
    ],
)
def test_both_values_are_told_the_same_way(
    shop: Shop,
    seller: Seller,
    path: str,
    name: str,
    typed: str,
    default: str,
    said: str | None,
) -> None:
    now = said or ", ".join(typed.splitlines())

    assert change(seller, shop, path, name, typed) == {"was": default, "now": now}
    assert change(seller, shop, path, name, default) == {"was": now, "now": default}


@on_sqlite
def test_a_long_text_that_is_taken_away_is_not_another(
    shop: Shop, seller: Seller
) -> None:
    note = "As agreed. " * 12

    assert change(seller, shop, "tax", "invoice.note", note) == "another"
    assert change(seller, shop, "tax", "invoice.note", "") == "none"


@on_sqlite
def test_a_password_in_an_address_stands_on_no_page(shop: Shop, seller: Seller) -> None:
    name, typed = "analytics.plausible_url", "https://shop:geheim@stats.example.com"

    told = change(seller, shop, "analytics", name, typed)

    assert told == {
        "was": "https://plausible.io",
        "now": "https://shop:…@stats.example.com",
    }
    for path in ("audit", "settings", "settings/analytics"):
        page = seller.get(f"/admin/{path}").text
        assert "stats.example.com" in page
        assert "geheim" not in page


@on_sqlite
def test_and_is_not_lost_by_changing_what_is_shown_of_it(
    shop: Shop, seller: Seller
) -> None:
    name, typed = "analytics.plausible_url", "https://shop:geheim@stats.example.com"
    change(seller, shop, "analytics", name, typed)
    page = seller.get("/admin/settings/analytics")

    hidden = {name: "https://shop:…@other.example.com"}
    answer = seller.do(page, "/admin/settings/analytics", hidden)

    assert "Type the whole address, with its password." in words(answer)
    assert load_settings(shop.home).analytics.plausible_url == typed
