"""Settings at the desk: seen, changed, refused; and what is secret stays so."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from handsel.models import AuditEntry
from handsel.ops.desk import options
from handsel.settings import CONFIG_FILE, load_settings
from handsel.settings.running import sections
from handsel.shop import Shop
from handsel.web.admin.settings import CHAPTERS
from tests.ground.shops import Clock
from tests.ground.visitor import words
from tests.stories.desks import PASSWORD, Seller

KEY = "rk_test_1234567890abcdefWXYZ"
STRIPE = {"stripe.secret_key": KEY, "stripe.webhook_secret": "whsec_1234567890abcdef"}
sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def save(seller: Seller, path: str, typed: dict[str, str]) -> TestResponse:
    """Open a chapter, type, and press Save; prove who it is if asked."""
    page = seller.get(f"/admin/settings/{path}")
    return seller.do(page, f"/admin/settings/{path}", typed)


def logged(shop: Shop) -> list[tuple[str, dict[str, Any]]]:
    """Give what the log says of settings."""
    with shop.reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.action == "settings.changed")
        return [(e.subject, e.detail) for e in session.scalars(wanted)]


def test_every_setting_stands_on_the_first_page_and_in_one_chapter(
    seller: Seller,
) -> None:
    page = seller.get("/admin/settings")
    names = [
        f"{section}.{field.alias or key}"
        for section, kind in sections()
        for key, field in kind.model_fields.items()
    ]
    assert len(names) > 60
    for name in names:
        assert page.text.count(f"<code>{name}</code>") == 1, name
    for chapter in CHAPTERS:
        shown = seller.get(f"/admin/settings/{chapter.path}").text
        for name in [
            each for each in names if each.partition(".")[0] in chapter.sections
        ]:
            assert shown.count(f'<span class="origin"><code>{name}</code>') == 1, name
        assert set(chapter.seldom) <= set(names)
    assert sorted(each for chapter in CHAPTERS for each in chapter.sections) == sorted(
        section for section, _ in sections()
    )
    assert seller.get("/admin/settings/nothing").status_code == 404


def test_a_change_is_saved_noted_and_asks_for_no_password_where_nothing_is_at_stake(
    shop: Shop, seller: Seller
) -> None:
    page = seller.get("/admin/settings/shop")
    answer = seller.press(
        page, "/admin/settings/shop", {"shop.name": "دار الكتب", "shop.locale": "ar"}
    )
    assert answer.status_code == 303
    said = seller.go_on(answer)
    assert "Saved: Language of prices and dates, Name of the shop." in words(said)
    assert 'value="دار الكتب"' in said.text
    assert load_settings(shop.home).shop.name == "دار الكتب"
    assert sorted(logged(shop)) == [
        ("shop.locale", {"value": {"was": "en", "now": "ar"}}),
        ("shop.name", {"value": {"was": "Ada's Books", "now": "دار الكتب"}}),
    ]
    again = seller.do(said, "/admin/settings/shop")
    assert "Nothing was changed" in words(again)
    assert "shop name" not in words(again)
    log = seller.get("/admin/audit")
    assert (
        "Changed a setting value: en became ar Language of prices and dates"
        in words(log)
    )
    assert '<a href="/admin/settings/shop#shop.locale"><bdi>Language of' in log.text


def test_keys_ask_for_the_password_and_are_never_shown_again(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=11)
    page = seller.get("/admin/settings/payments")
    asked = seller.press(page, "/admin/settings/payments", STRIPE)
    assert asked.status_code == 403
    assert load_settings(shop.home).stripe.secret_key is None
    done = seller.go_on(
        seller.press(asked, "/settings/payments", {"confirm_password": PASSWORD})
    )
    assert "Saved: Stripe: secret key, Stripe: signing secret" in words(done)
    kept = load_settings(shop.home).stripe.secret_key
    assert kept
    assert kept.get_secret_value() == KEY
    for url in ("settings", "settings/payments", "audit", ""):
        shown = seller.get(f"/admin/{url}").text
        assert KEY not in shown
        assert KEY[:-4] not in shown
    assert "WXYZ" in seller.get("/admin/settings").text
    assert dict(logged(shop)) == {"stripe.secret_key": {}, "stripe.webhook_secret": {}}

    gone = save(
        seller,
        "payments",
        {"drop.stripe.secret_key": "yes", "drop.stripe.webhook_secret": "yes"},
    )
    assert "Saved" in words(gone)
    assert load_settings(shop.home).stripe.secret_key is None


@sqlite_alone
def test_what_is_wrong_is_said_at_its_field_with_what_was_typed(
    shop: Shop, seller: Seller
) -> None:
    before = (shop.home / CONFIG_FILE).read_bytes()
    page = seller.get("/admin/settings/mail")
    answer = seller.press(
        page,
        "/admin/settings/mail",
        {"mail.transport": "smtp", "mail.port": "<b>", "mail.from": "nobody"},
    )
    assert answer.status_code == 422
    assert "it should be a whole number" in words(answer).lower()
    assert 'id="mail.port-error"' in answer.text
    assert 'value="&lt;b&gt;"' in answer.text
    assert 'value="nobody"' in answer.text
    assert (shop.home / CONFIG_FILE).read_bytes() == before
    other = seller.press(page, "/admin/settings/mail", {"mail.transport": "smtp"})
    assert 'id="mail.host-error"' in other.text
    assert "<option selected>smtp</option>" in other.text
    hidden = seller.press(page, "/admin/settings/mail", {"mail.host": "a\nb"})
    assert "cannot be seen" in words(hidden)
    huge = seller.press(page, "/admin/settings/mail", {"mail.host": "a" * 300_000})
    assert huge.status_code == 413


@sqlite_alone
def test_every_mistake_is_named_on_top_in_the_order_of_the_fields(
    shop: Shop, seller: Seller
) -> None:
    page = seller.get("/admin/settings/shop")
    typed = {"shop.name": "  ", "shop.locale": "", "delivery.download_limit": ""}
    answer = seller.press(page, "/admin/settings/shop", typed | {"shop.email": "a@b"})
    assert answer.status_code == 422
    for name, said in {
        "shop.name": "Name of the shop: This cannot be empty.",
        "shop.locale": "Language of prices and dates: This cannot be empty.",
        "delivery.download_limit": "Downloads of each file: This cannot be empty.",
    }.items():
        assert f'<li><a href="#{name}">{said}' in answer.text
        assert f'id="{name}-error"' in answer.text
    assert re.findall(r'id="([\w.]+)"[^>]* autofocus', answer.text) == ["shop.name"]
    assert 'value="a@b"' in answer.text
    assert load_settings(shop.home).shop.email == "ada@example.com"
    assert load_settings(shop.home).shop.name != "My shop"


@sqlite_alone
def test_what_is_empty_and_what_is_no_currency_are_told_together(
    shop: Shop, seller: Seller
) -> None:
    answer = save(seller, "shop", {"shop.name": "", "shop.currency": "euro"})
    assert answer.status_code == 422
    assert 'id="shop.name-error"' in answer.text
    assert 'id="shop.currency-error"' in answer.text
    assert logged(shop) == []


@sqlite_alone
def test_what_is_wrong_on_another_page_leads_there(seller: Seller) -> None:
    save(seller, "tax", {"tax.mode": "stripe"})
    answer = seller.do(
        seller.get("/admin/settings/payments"),
        "/admin/settings/payments",
        {"payments.enabled": "test\npaypal"},
    )
    assert answer.status_code == 422
    there = '<a href="/admin/settings/tax#tax.mode">How tax is worked out</a>: Stripe'
    assert there in answer.text
    assert '<a href="#paypal.client_id">PayPal: client ID: Payments by' in answer.text


@sqlite_alone
def test_a_list_is_typed_line_by_line_and_the_wrong_line_is_named(
    shop: Shop, seller: Seller
) -> None:
    lines = "203.0.113.7\n2001:db8::/48"
    done = save(seller, "analytics", {"analytics.ignore": f"{lines}\n"})
    assert "Saved: Addresses that are not counted" in words(done)
    assert f">\n{lines}</textarea>" in done.text
    assert load_settings(shop.home).analytics.ignore == lines.split()
    assert "<code>203.0.113.7</code> and <code>2001:db8::/48</code>" in done.text
    wrong = save(seller, "analytics", {"analytics.ignore": f"{lines}\nhome"})
    assert "Addresses that are not counted: Line 3: &#39;home&#39; is no" in words(
        wrong
    )
    assert f">\n{lines}\nhome</textarea>" in wrong.text


def test_every_setting_is_called_something_and_no_two_the_same() -> None:
    for chapter in CHAPTERS:
        called = [
            field.title
            for section, kind in sections()
            if section in chapter.sections
            for field in kind.model_fields.values()
        ]
        assert all(called), chapter.path
        assert len(set(called)) == len(called), chapter.path


def test_two_people_at_once_the_later_is_told_and_loses_nothing(
    shop: Shop, seller: Seller
) -> None:
    mine, theirs = (seller.tab().get("/admin/settings/shop") for _ in range(2))
    seller.do(mine, "/admin/settings/shop", {"shop.name": "Mine"})

    told = seller.press(theirs, "/admin/settings/shop", {"shop.email": "b@example.com"})

    assert told.status_code == 409
    assert "was changed meanwhile" in words(told)
    assert 'value="Mine"' in told.text
    assert 'value="b@example.com"' in told.text
    done = seller.do(told, "/admin/settings/shop")
    assert "Saved: E-mail for buyers" in words(done)
    found = load_settings(shop.home).shop
    assert (found.name, found.email) == ("Mine", "b@example.com")


@sqlite_alone
def test_what_the_environment_sets_and_what_moves_records_is_shown_and_kept(
    shop: Shop, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_SHOP__NAME", "Of the machine")
    monkeypatch.setenv("HANDSEL_DATABASE__URL", "postgresql://ada:geheim@db/shop")
    page = seller.get("/admin/settings/shop")
    assert "The environment sets it (HANDSEL_SHOP__NAME)" in words(page)
    assert 'name="shop.name"' not in page.text
    forged = seller.press(page, "/admin/settings/shop", {"shop.name": "Forged"})
    assert "Nothing was changed" in words(seller.go_on(forged))

    machine = seller.get("/admin/settings/server")
    assert "geheim" not in machine.text
    assert "It is changed on the server" in words(machine)
    forged = seller.press(
        machine, "/admin/settings/server", {"storage.path": "/etc", "server.bind": "x"}
    )
    assert "Nothing was changed" in words(seller.go_on(forged))
    assert "Forged" not in (shop.home / CONFIG_FILE).read_text()


@sqlite_alone
def test_a_mistake_made_by_hand_is_named_and_can_be_mended_here(
    shop: Shop, seller: Seller
) -> None:
    path = shop.home / CONFIG_FILE
    path.write_text(path.read_text().replace('"EUR"', '"EURO"'))
    page = seller.get("/admin/settings")
    assert "The shop goes on with the settings it had" in words(page)
    done = save(seller, "shop", {"shop.currency": "USD"})
    assert "Saved: Usual currency" in words(done)
    assert "goes on with" not in words(seller.get("/admin/settings"))

    path.write_text("[shop")
    broken = seller.get("/admin/settings/shop")
    assert "cannot be read" in words(broken)
    assert 'name="seen"' not in broken.text
    assert seller.get("/admin/settings").status_code == 200


@sqlite_alone
def test_another_address_says_where_the_desk_is_now(shop: Shop, seller: Seller) -> None:
    moved = save(seller, "shop", {"shop.url": "https://shop.example.com/"})
    assert moved.status_code == 200
    assert 'href="https://shop.example.com/admin/"' in moved.text
    assert load_settings(shop.home).public_url == "https://shop.example.com"


@sqlite_alone
def test_a_file_that_cannot_be_written_says_so(shop: Shop, seller: Seller) -> None:
    path = shop.home / CONFIG_FILE
    path.chmod(0o444)
    answer = save(seller, "shop", {"shop.name": "B"})
    assert answer.status_code == 409
    assert "cannot be written: it is write-protected" in words(answer)
    assert 'value="B"' in answer.text


@sqlite_alone
def test_every_field_has_a_label_and_its_words(seller: Seller) -> None:
    for chapter in CHAPTERS:
        html = seller.get(f"/admin/settings/{chapter.path}").text
        ids = set(re.findall(r'\bid="([^"]+)"', html))
        for name in re.findall(r'<(?:input|select|textarea) id="([^"]+)"', html):
            assert f'<label for="{name}">' in html
            assert f"{name}-about" in ids


def test_links_of_the_list_lead_to_their_fields(seller: Seller) -> None:
    page = seller.get("/admin/settings")
    for url in re.findall(r'href="(/admin/settings/\w+#[^"]+)"', page.text):
        there = seller.get(urlsplit(url).path).text
        assert f'id="{urlsplit(url).fragment}' in there, url


@sqlite_alone
def test_what_is_typed_as_it_was_is_no_change(shop: Shop, seller: Seller) -> None:
    book = options.read(shop.home)
    every = {
        option.name: option.value.replace("\n", "\r\n")
        for _, found in book.sections.values()
        for option in found
        if option.kind != "secret"
    }
    for chapter in CHAPTERS:
        page = seller.get(f"/admin/settings/{chapter.path}")
        if chapter.path != "server":
            done = seller.do(page, f"/admin/settings/{chapter.path}", every)
            assert "Nothing was changed" in words(done)
