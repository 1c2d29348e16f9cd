"""P24: whatever sellers, buyers and visitors type, it stays words wherever it is shown.

Each payload is put into every field that somebody types; then every page of the desk, the
pages of buyers, mails and sheets are opened in a real Chromium, whose policy must not have
been tried even once.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from handsel.outbound.transports.folder import read_folder
from handsel.sales import orders
from handsel.shop import Shop
from handsel.web import create_app
from tests.browser.test_desk_pages import Desk, let_in, pages_of
from tests.ground.chromium import visit
from tests.stories.buyers import with_settings
from tests.stories.desks import hire
from tests.stories.full_shop import USUAL, Filled, fill
from tests.web.serving import serving

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAYLOADS = [
    "<script>pwned=1</script>",
    "</script><script>pwned=1</script>",
    '"><script>pwned=1</script>',
    "'><img src=x onerror=pwned=1>",
    "<img src=x onerror=pwned=1>",
    "<svg onload=pwned=1>",
    "<svg><script>pwned=1</script></svg>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<a href=javascript:pwned=1>x</a>",
    "[x](javascript:pwned=1)",
    "![x](x onerror=pwned=1)",
    "<details open ontoggle=pwned=1>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=pwned=1>",
    "<style>*{background:url(//evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><input name=a></form>",
    '" autofocus onfocus=pwned=1 x="',
    "' style='position:fixed;inset:0' x='",
    "{{ 7*7 }} {% raw %} ${7*7} #{7*7} <%= 7*7 %>",
    "{{ config }}{{ ''.__class__.__mro__ }}",
    "--><script>pwned=1</script><!--",
    "]]><script>pwned=1</script>",
    "</textarea><script>pwned=1</script>",
    "</title><script>pwned=1</script>",
    "</option></select><script>pwned=1</script>",
    '=HYPERLINK("//evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u202e<script>pwned=1</script>\u2066 \u00ad\u200b",
]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def said_by(payload: str, field: str) -> str:
    """Give the words of a field with a payload in it, where the field allows it."""
    if field in ("email", "file"):
        return USUAL[field]
    if field in ("name", "arabic", "source"):
        return payload
    return f"{payload} {USUAL[field]}"


def open_desk(shop: Shop, payload: str) -> Iterator[tuple[Desk, Filled]]:
    """Open a shop in which everything was typed by somebody nasty."""
    spoiled = with_settings(shop, "shop", name=f"Ada {payload}")
    filled = fill(spoiled, lambda field: said_by(payload, field))
    app = create_app(spoiled)
    with serving(app) as server:
        app.extensions["handsel"] = with_settings(spoiled, "shop", url=server.url)
        seller = hire(spoiled)
        yield Desk(server.url, seller, pages_of(seller, filled)), filled


def look(page: Page, desk: Desk, path: str) -> None:
    """Open a page; fail if anything that was typed became more than words."""
    answer = page.goto(f"{desk.url}{path}")
    assert answer
    assert answer.status == 200, path
    assert urlsplit(page.url).netloc == urlsplit(desk.url).netloc, path
    assert page.evaluate("window.pwned") is None, path
    strange = "[src*='evil.example'], [href*='evil.example'], [action*='evil.example']"
    assert page.locator(strange).count() == 0, path
    bad = "[onerror], [onload], [onfocus], [ontoggle], [href^='javascript:'], iframe[srcdoc]"
    assert page.locator(bad).count() == 0, path


def tried(shop: Shop, browser: Browser, payload: str) -> None:
    """Put a payload everywhere, and look at everything."""
    for desk, filled in open_desk(shop, payload):
        with visit(browser) as page:
            page.add_init_script(
                "addEventListener('securitypolicyviolation',"
                " (e) => console.error(`policy: ${e.violatedDirective}`))"
            )
            let_in(page, desk)
            for path in (*desk.pages, "/p/book", "/p/poems", "/buy/book", "/"):
                look(page, desk, path)
            page.goto(f"{desk.url}/p/book")
            # The name, or the headline that is tried instead: chance says to whom.
            head = page.locator("h1").text_content() or ""
            name = " ".join(said_by(payload, "name").split())
            assert head == name or seen(payload) in seen(head)
            look(page, desk, purchase(shop, filled))
            for mail in read_folder(shop.home / "mail"):
                page.goto("about:blank")  # a mail program has no policy of ours
                page.set_content(mail.html or "")
                assert page.evaluate("window.pwned") is None, mail.subject
        sheets(desk)


def seen(text: str) -> str:
    """Leave out what nobody sees: a headline is kept without it."""
    plain = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return " ".join("".join(plain).split())


def purchase(shop: Shop, filled: Filled) -> str:
    """Give the path of the page of a purchase."""
    from handsel.outbound.letters import purchase_link

    with shop.reading() as session:
        order = orders.by_number(session, filled.number)
    return urlsplit(purchase_link(shop.keys, shop.settings, order)).path


def sheets(desk: Desk) -> None:
    """No cell of a sheet is more than words."""
    rules = desk.seller.app.url_map.iter_rules()
    paths = [rule.rule for rule in rules if rule.rule.endswith(".csv")]
    assert paths
    for path in paths:
        answer = desk.seller.get(path)
        if answer.status_code != 200:
            continue
        for row in csv.reader(io.StringIO(answer.get_data(as_text=True))):
            for cell in row:
                number = cell.lstrip("-").replace(".", "").isdigit()
                assert number or not cell.startswith(FORMULA), (path, cell)


@pytest.mark.parametrize("payload", PAYLOADS[:1] + PAYLOADS[18:19] + PAYLOADS[27:28])
def test_what_is_typed_stays_words(shop: Shop, browser: Browser, payload: str) -> None:
    tried(shop, browser, payload)


@pytest.mark.storm
@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_is_typed_stays_words(
    shop: Shop, browser: Browser, payload: str
) -> None:
    tried(shop, browser, payload)
