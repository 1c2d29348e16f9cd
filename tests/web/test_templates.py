"""Every template renders, whatever sellers and buyers type, and keeps its promises."""

import json
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import css_inline
import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from tests.web.pages import MAILS, NO_CHOICE, PAGES, SAID_YES, SHOP, Context

NASTY = " W" + "w" * 200 + " مرحبا 🎁 <script>alert(1)</script> \"'onload=x {{ 7 * 7 }}"
# These choose what a page shows; they are our words, nobody types them.
OURS = {"state", "mail_state", "mail", "why"}
TEMPLATES = Path(__file__).parents[2] / "src/handsel/templates"
VOID = {"meta", "link", "img", "input", "br"}


@cache
def environment(*, autoescape: bool = True, trim: bool = False) -> Environment:
    """Jinja as the shop sets it up, or as somebody might; it compiles a template once."""
    return Environment(
        loader=PackageLoader("handsel"),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - that mails are safe without, is tested
        trim_blocks=trim,
        lstrip_blocks=trim,
    )


def render(
    name: str, *, spoiled: bool = False, test_mode: bool = False, **other: Any
) -> str:
    """Render one example page; `spoiled`: with something nasty in every text.

    Args:
        other: what the page is given instead of its example's.
    """
    template, context = PAGES[name]
    given = {"shop": SHOP, "test_mode": test_mode, "show_mail": False}
    given |= {"privacy": NO_CHOICE, **context}
    given |= other
    return (
        environment()
        .get_template(template)
        .render(spoil(given) if spoiled else given, static="/static/{}".format)
    )


def render_mail(
    name: str, block: str, *, spoiled: bool = False, **options: bool
) -> str:
    """Render one block of a mail."""
    template, context = MAILS[name]
    found = environment(**options).get_template(template)
    given = spoil(context) if spoiled else context
    return "".join(found.blocks[block](found.new_context(given))).strip()


def spoil(value: Any, key: str = "") -> Any:
    """Add something nasty to every text, except to what we write ourselves."""
    if isinstance(value, dict):
        return {name: spoil(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [spoil(inner) for inner in value]
    # Markup and no text at all mean something, and stay.
    return value + NASTY if type(value) is str and value and key not in OURS else value


class Outline(HTMLParser):
    """What a page is made of: its elements with their attributes, and its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style") and data.strip():
            self.inline.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element of these kinds, in order."""
        return [attributes for tag, attributes in self.elements if tag in tags]

    def shape(self) -> list[tuple[str, list[str]]]:
        """The skeleton: elements and the names of their attributes."""
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


def test_every_template_has_an_example() -> None:
    pages = {path.name for path in TEMPLATES.glob("*.html")}
    mails = {f"mail/{path.name}" for path in TEMPLATES.glob("mail/*.jinja")}
    assert {template for template, _ in PAGES.values()} == pages - {
        "base.html",
        "_parts.html",
    }
    assert {template for template, _ in MAILS.values()} == mails


def test_what_googles_script_is_told_stays_inside_its_attributes() -> None:
    pages = [
        render("product", spoiled=each, privacy=SAID_YES) for each in (False, True)
    ]
    plain, spoiled = (Outline(page) for page in pages)
    assert spoiled.shape() == plain.shape()
    assert plain.all("script")[0]["data-client"] == "1.2"
    assert plain.all("script")[0]["src"] == "/static/ga.js"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_its_shape_whatever_is_typed(name: str) -> None:
    spoiled = render(name, spoiled=True)
    assert "<script>alert" not in spoiled
    assert Outline(spoiled).shape() == Outline(render(name)).shape()
    assert not Outline(spoiled).open


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_or_style_of_its_own(name: str) -> None:
    page = Outline(render(name, spoiled=True))
    for tag, attributes in page.elements:
        assert tag != "style"
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]
        assert not attributes.get("href", "").lower().startswith("javascript:")
    written = [s for s in page.all("script") if s.get("type") != "application/ld+json"]
    assert all(script["src"].startswith("/static/") for script in written)
    assert len(page.inline) == len(page.all("script")) - len(written)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_aloud(name: str) -> None:
    page = Outline(render(name))
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    ids = Counter(
        attributes["id"] for _, attributes in page.elements if "id" in attributes
    )
    assert set(ids.values()) <= {1}, "the same id twice"
    for key in ("for", "aria-describedby", "aria-labelledby"):
        named = " ".join(a[key] for _, a in page.elements if key in a).split()
        assert set(named) <= set(ids)
    labelled = {attributes["for"] for attributes in page.all("label")}
    typed = [field for field in page.all("input") if field["type"] != "hidden"]
    typed += page.all("textarea")
    assert {field["id"] for field in typed} == labelled
    assert all("alt" in image and image["width"] for image in page.all("img"))


@pytest.mark.parametrize("name", PAGES)
def test_test_mode_cannot_be_overlooked(name: str) -> None:
    assert '<aside class="test"' in render(name, test_mode=True)
    assert '<aside class="test"' not in render(name)


def test_only_the_shop_window_and_products_are_for_search_engines() -> None:
    private = {PAGES[name][0] for name in PAGES if "noindex" in render(name)}
    public = {template for template, _ in PAGES.values()} - private
    assert public == {"shop.html", "product.html"}


def test_paying_by_card_takes_four_typed_fields() -> None:
    fields = Outline(render("testpay")).all("input")
    typed = {f["name"]: f["autocomplete"] for f in fields if f["type"] != "hidden"}
    assert typed == {
        "email": "email",
        "number": "cc-number",
        "expiry": "cc-exp",
        "cvc": "cc-csc",
    }


@pytest.mark.parametrize(
    "name", ["testpay wrong", "buy free wrong", "find wrong", "purchase wrong address"]
)
def test_an_error_is_on_top_and_at_its_field_and_what_was_typed_stays(
    name: str,
) -> None:
    form: Context = PAGES[name][1].get("form") or PAGES[name][1]["address"]
    page = render(name)
    for field, message in form["errors"].items():
        assert page.count(message) == 2
        assert f'<a href="#{field}">{message}</a>' in page
        assert f'<p class="error" id="{field}-error">{message}</p>' in page
    fields = {field.get("name"): field for field in Outline(page).all("input")}
    for field, value in form["values"].items():
        assert fields[field]["value"] == value


def test_search_engines_read_the_product_even_with_a_script_in_its_name() -> None:
    _, context = PAGES["product"]
    wanted = spoil(context["meta"])["json_ld"]
    assert json.loads(Outline(render("product", spoiled=True)).inline[0]) == wanted


def test_a_file_that_is_used_up_has_no_button_but_says_whom_to_ask() -> None:
    page = render("purchase")
    actions = [form["action"] for form in Outline(page).all("form")]
    assert [a for a in actions if a[-1].isdigit()] == [
        "/d/token/1",
        "/d/token/2",
        "/d/token/4",
    ]
    assert "3 of 5 left" in page
    assert "all 5 downloads are used up" in page
    assert "mailto:maud@books.example?subject=Order%20H-1042" in page


@pytest.mark.parametrize(
    "state", ["processing", "refunded", "disputed", "review", "revoked"]
)
def test_there_is_nothing_to_download_before_the_money_or_after_a_refund(
    state: str,
) -> None:
    page = Outline(render(f"purchase {state}"))
    assert not [f for f in page.all("form") if f["action"][-1].isdigit()]


def test_one_download_starts_by_itself_and_only_when_it_is_asked_to() -> None:
    assert render("purchase first").count("data-autostart") == 1
    assert "data-autostart" not in render("purchase")


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_reads_well_however_the_environment_is_set_up(
    name: str, autoescape: bool, trim: bool
) -> None:
    options = {"autoescape": autoescape, "trim": trim}
    text = render_mail(name, "text", **options)
    assert text == render_mail(name, "text")
    assert "\n\n\n" not in text
    spoiled = {"spoiled": True, **options}
    for block in ("subject", "text"):
        assert "<script>alert(1)</script>" in render_mail(name, block, **spoiled)
    assert "\n" not in render_mail(name, "subject", **spoiled)
    assert "<script>" not in render_mail(name, "html", **spoiled)


@pytest.mark.parametrize("name", ["receipt", "find"])
def test_the_link_of_a_mail_stands_on_a_line_of_its_own_and_behind_a_button(
    name: str,
) -> None:
    link = MAILS[name][1]["link"]
    assert link in render_mail(name, "text").splitlines()
    html = css_inline.inline(render_mail(name, "html"), keep_at_rules=True)
    assert html.count(f'href="{link}"') == 2
    assert "prefers-color-scheme: dark" in html


def test_a_test_mail_says_so_in_its_subject_and_first_line() -> None:
    assert render_mail("receipt", "subject").startswith("[TEST] ")
    assert render_mail("receipt", "text").startswith("TEST:")
    assert "TEST:" in render_mail("receipt", "html")
