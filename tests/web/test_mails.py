"""Every mail as people see it: in a real browser, on any screen, whatever was typed."""

import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from handsel.ops import previewing
from handsel.ops.previewing import NAMES, Words
from handsel.outbound.letters import Letter
from handsel.settings import Settings
from tests.ground.chromium import axe, visit
from tests.web.pages import SETTINGS

MARKUP = (
    "<script>document.title = 'hit'</script>",
    "<img src=x onerror=\"document.title = 'hit'\">",
    "\"'><svg onload=\"document.title = 'hit'\">",
    "{{ 7*7 }}",
    "{x.__class__}",
    "%(x)s",
    "<iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
    "<a href=javascript:alert(1)>press</a>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button>go</button></form>",
    "</title></style></textarea></script><b>out</b>",
    "<!-- <b>",
    "<![CDATA[<b>]]>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "%3Cscript%3E",
    "{{ shop.__class__.__mro__ }}",
    "{% include 'mail/receipt.jinja' %}",
    "{# gone #}",
    "${x.__init__.__globals__}",
    "#{x}",
    "{0.__class__}",
    "{x!r:>9}",
    "%s%n%x",
    "$(id)",
    "=HYPERLINK(1)",
)
NASTY = " ".join(MARKUP)
LONG = "The History of Everything That Was Ever Sold, " * 4 + "W" * 200
EMOJI = "🎁👩🏽‍🚀🇦🇹 Zauberkästchen ✨"
ARABIC = "قصص صغيرة عن أول قرش في اليوم"


def typed(word: str) -> Words:
    """Somebody has typed this word into every field."""
    return Words(
        product=word,
        slug="a-book",
        version=word,
        notes=f"{word}\n\n- {word}\n\n## {word}\n\n    {word}",
        files=((f"{word}.epub", 78_000), (f"{word}.pdf", 131_000)),
        subject=word,
        body=f"{word}\n\n> {word}\n\n| a | b |\n|---|---|\n| {word} | {word} |",
        email=f'"{word}"@reader.example',
        statement=word,
        review=word,
        error=word,
    )


def shop_called(word: str) -> Settings:
    """A shop with this word in its name and its address."""
    shop = {"name": word[:80], "address": word[:500], "url": "https://books.example"}
    return Settings.model_validate({"shop": shop})


def written(name: str, word: str) -> Letter:
    """Write a mail with this word everywhere."""
    return previewing.preview(
        Path("no-templates-here"),
        shop_called(word),
        name,
        test=False,
        words=typed(word),
    )


@pytest.mark.parametrize("name", NAMES)
def test_markup_stays_what_was_typed(name: str, page: Page) -> None:
    letter = written(name, NASTY)
    page.set_content(letter.html)  # without any policy
    page.wait_for_load_state("networkidle")

    assert page.title() != "hit"
    assert page.locator("script, svg, img, iframe, form").count() == 0
    shown = page.locator("body").inner_text()
    assert "49" not in letter.subject + letter.text + shown
    for each in MARKUP if name not in ("find", "test") else ():
        assert each in letter.text
        assert each in shown
    assert "\n" not in letter.subject


@pytest.mark.parametrize("word", [LONG, EMOJI, ARABIC], ids=["long", "emoji", "rtl"])
@pytest.mark.parametrize("name", NAMES)
def test_any_words_fit_on_a_small_screen(name: str, word: str, page: Page) -> None:
    letter = written(name, word)
    page.set_viewport_size({"width": 320, "height": 640})
    page.set_content(letter.html)

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    shown = page.locator("body").inner_text()
    for each in [word] if name not in ("find", "test") else ():
        assert each in letter.text
        assert each.strip() in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_mail_hinders_nobody_by_day_and_by_night(
    name: str, scheme: str, browser: Browser
) -> None:
    letter = previewing.preview(Path("none"), SETTINGS, name, test=True)
    with visit(browser, viewport={"width": 320, "height": 640}) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_content(letter.html)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "word",
    ["", NASTY, LONG, EMOJI, ARABIC],
    ids=["ours", "markup", "long", "emoji", "rtl"],
)
def test_text_and_html_have_the_same_content(name: str, word: str) -> None:
    letter = (
        written(name, word)
        if word
        else previewing.preview(Path("none"), SETTINGS, name, test=True)
    )
    html = re.sub("<(style|title)>.*?</\\1>", "", letter.html, flags=re.DOTALL)
    shown = unescape(re.sub('<a href="([^"]+)"[^>]*>|<[^>]+>', r" \1 ", html))
    text = re.sub(r"^\d\. ", "", letter.text, flags=re.MULTILINE)

    assert words(text) <= words(shown)
    buttons = {"open", "or", "copy", "this", "address", "show", "my", "mailto"}
    assert words(shown) - words(text) <= buttons | words(letter.subject)


def words(text: str) -> set[str]:
    """Every word of a text, without the signs that Markdown makes of some."""
    return set(re.findall(r"[^\W_]+", text.lower()))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_fetched_when_a_mail_is_opened(name: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(written(name, "![me](https://far.example/pixel.png)").html)
    page.wait_for_load_state("networkidle")

    assert asked == []
    assert page.locator("img").count() == 0


def test_a_picture_in_the_notes_is_a_link_to_it(page: Page) -> None:
    page.set_content(written("release", "![me](https://far.example/me.png)").html)
    assert page.get_by_role("link", name="me", exact=True).first.get_attribute(
        "href"
    ) == ("https://far.example/me.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("word", ["Plain", NASTY], ids=["plain", "markup"])
def test_the_page_of_a_preview_hinders_nobody(
    word: str, scheme: str, page: Page
) -> None:
    letter = written("release", word)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 320, "height": 640})
    page.set_content(previewing.page(Path("none"), SETTINGS, letter))

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.title() == " ".join(letter.subject.split())
    frame = page.frame_locator("iframe")
    assert word in frame.get_by_role("heading", level=1).inner_text()
    assert word in page.locator("pre").inner_text()
