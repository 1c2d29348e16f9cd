"""`handsel product embed`: what a seller copies, and a page to try it on."""

import re
from html import unescape
from pathlib import Path

import pytest
import requests

from handsel.settings.embed import read_origin
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, on_sqlite, real, run
from tests.faults.processes import program

BUY = "http://127.0.0.1:8000/buy/book"
SCRIPT = '<script async src="http://127.0.0.1:8000/embed.js?v=1"></script>'


@on_sqlite
def test_every_snippet_is_printed_with_the_shops_address(shop: Shop) -> None:
    make.product(shop, name='Bits & "Pieces"')
    found = facts(shop, "product", "embed", "book")

    assert isinstance(found, dict)
    assert found["script"] == SCRIPT
    assert found["snippets"] == {
        "link": f'<a href="{BUY}">Buy Bits &amp; &quot;Pieces&quot;</a>',
        **{
            kind: f'<a href="{BUY}" data-handsel="{kind}">'
            "Buy Bits &amp; &quot;Pieces&quot;</a>"
            for kind in ("button", "overlay", "card")
        },
        "feed": f"{BUY}?utm_medium=feed",
        "mail": f"{BUY}?utm_medium=email",
    }
    shown = run(shop, "product", "embed", "book").stdout
    assert all(each in shown for each in (SCRIPT, *found["snippets"].values()))


@on_sqlite
def test_it_says_what_is_to_be_set_for_the_overlay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop)
    assert (
        'origins = ["https://example.com"]'
        in run(shop, "product", "embed", "book").stderr
    )

    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", "https://ada.example.com")
    assert run(shop, "product", "embed", "book").stderr == ""
    found = facts(shop, "product", "embed", "book")
    assert isinstance(found, dict)
    assert found["origins"] == ["https://ada.example.com"]


@on_sqlite
def test_there_is_none_for_what_cannot_be_bought(shop: Shop) -> None:
    make.product(shop, published=False)
    draft = real(shop.home, "product", "embed", "book")
    assert (draft.returncode, draft.stdout) == (1, "")
    assert "handsel product publish book" in draft.stderr
    assert real(shop.home, "product", "embed", "none").returncode == 3


@on_sqlite
def test_the_buttons_can_be_tried(shop: Shop, unused_port: int, tmp_path: Path) -> None:
    make.product(shop, name="<b>The Book</b>")
    words = ("handsel", "product", "embed", "book", "--try", "--no-browser", "--json")
    log = tmp_path / "log"
    command = (*words, "--home", shop.home, "--port", str(unused_port))

    with program(*command, log=log) as trying:
        url, _ = trying.open()
        page = requests.get(url, timeout=20).text
        head = requests.head(url, timeout=20)
        elsewhere = requests.get(f"{url}/nothing", timeout=20)
        busy = real(shop.home, *words[1:], "--port", str(unused_port))

    assert url == f"http://127.0.0.1:{unused_port}"
    assert SCRIPT in page
    assert re.findall('data-handsel="(.*?)"', page) == ["button", "overlay", "card"]
    assert unescape(page).count(f'href="{BUY}"') == 4
    assert "<b>" not in page
    assert (head.status_code, head.content) == (200, b"")
    assert elsewhere.status_code == 404
    assert f'origins = ["{url}"]' in log.read_text()
    assert busy.returncode == 1
    assert "--port" in busy.stdout


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://Example.com:443/", "https://example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8001", "http://localhost:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://my_site.example", "https://my_site.example"),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(text: str, origin: str) -> None:
    assert read_origin(text) == origin


@on_sqlite
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://example.com/blog", "should end after the host: https://example.com"),
        ("https://ada@example.com", "should end after the host"),
        ("http://example.com", "should begin with https://"),
        ("example.com", "should look like https://example.com"),
        ("https://*.example.com", "should look like https://example.com"),
        ("https://exa mple.com", "should look like https://example.com"),
        ("https://example.com; script-src *", "should look like"),
        ("https://example.com:port", "should look like"),
        ("https://[::1", "should look like"),
        ("https://example..com", "should look like"),
        ("https://1", "should look like"),
        ("https://1.2.3.456", "should look like"),
        ("https://", "should look like"),
        ("null", "should look like"),
        ("*", "should look like"),
    ],
)
def test_what_is_no_origin_is_said(shop: Shop, text: str, said: str) -> None:
    config = shop.home / "handsel.toml"
    config.write_text(f'[embed]\norigins = ["{text}"]\n')
    found = facts(shop, "config", "check", code=4)
    assert isinstance(found, dict)
    [problem] = found["problems"]
    assert problem.startswith(f"embed.origins: {text!r} {said}")


@on_sqlite
def test_other_sites_without_https_only_in_tests(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", "http://site.test, http://127.0.0.1:1")
    assert "site.test" in str(facts(shop, "config", "check", code=4))
    monkeypatch.setenv("HANDSEL_ENV", "test")
    assert facts(shop, "config", "check") == {"ok": True, "problems": []}
