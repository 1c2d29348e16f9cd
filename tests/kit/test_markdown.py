"""What sellers write is shown as they mean it, and can do no harm."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.markdown import markdown_to_plain, render_markdown


class Seen(HTMLParser):
    """Collects the tags of a page and where its links and pictures lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [
            value or "" for name, value in attrs if name in ("href", "src")
        ]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_markdown_becomes_html() -> None:
    html = render_markdown(
        "Read *this*:\n\n- one\n- `two`\n\n| a | b |\n|---|---|\n|1|2|"
    )
    assert "<em>this</em>" in html
    assert "<li><code>two</code></li>" in html
    assert '<table tabindex="0">' in html


def test_headings_start_below_that_of_the_page() -> None:
    html = render_markdown("# One\n\n## Two\n\n###### Six\n\nTitle\n=====")
    assert html == "<h2>One</h2>\n<h3>Two</h3>\n<h6>Six</h6>\n<h2>Title</h2>\n"


def test_only_links_to_other_sites_say_noopener() -> None:
    away = render_markdown("[a](https://example.com) [b](//example.com) <HTTP://x.org>")
    assert away.count('rel="noopener"') == 3
    here = render_markdown("[a](/p/book) [b](#top) [c](mailto:ann@example.com)")
    assert here.count("<a ") == 3
    assert "noopener" not in here


def test_a_link_in_bold_in_a_list_is_found_too() -> None:
    assert 'rel="noopener"' in render_markdown("- **[a](https://example.com)**")


HARM = """
<script>alert(1)</script>
<img src=x onerror=alert(1)>
<b onclick=alert(1)>bold</b>
[a](javascript:alert(1))
[a](JaVaScRiPt:alert(1))
[a](&#106;avascript:alert(1))
[a](java&#9;script:alert(1))
[a](<java\tscript:alert(1)>)
[a](data:text/html;base64,PHNjcmlwdD4=)
[a](vbscript:x)
[a](file:///etc/passwd)
[a](blob:x)
![a](javascript:alert(1))
![a](data:image/svg+xml;base64,PHN2Zz4=)
<javascript:alert(1)>
[a](https://example.com "x\\" onmouseover=\\"alert(1)")
[a]: javascript:alert(1)
"""


@pytest.mark.parametrize("text", HARM.strip().splitlines())
def test_harm_stays_text(text: str) -> None:
    seen = Seen(render_markdown(f"{text}\n\n[a]"))
    assert seen.tags <= {"p", "a", "img"}
    assert seen.handlers == []
    for target in seen.targets:
        assert target.startswith(("https://", "x"))


@given(st.text(st.sampled_from("<>[]()!\"'&;:/\\ \n#*`ajscriptdonhref=")))
def test_no_text_makes_a_script(text: str) -> None:
    seen = Seen(render_markdown(text))
    assert not seen.tags & {"script", "iframe", "object", "style", "form", "svg"}
    assert seen.handlers == []
    assert not [t for t in seen.targets if t.strip().lower().startswith("javascript")]


def test_a_description_is_the_running_words() -> None:
    text = "# My Book\n\nLearn **Python**\nfrom [me](https://x.org).\n\n- `code` & more"
    assert markdown_to_plain(text) == "Learn Python from me. code & more"


def test_a_description_ends_between_words() -> None:
    assert markdown_to_plain("one two, three four", limit=12) == "one two…"
    assert markdown_to_plain("one two", limit=7) == "one two"
    assert markdown_to_plain("x" * 50, limit=10) == "x" * 9 + "…"
    assert markdown_to_plain("") == ""


def test_pictures_and_code_blocks_are_not_read_out() -> None:
    assert (
        markdown_to_plain("![cover](a.png)\n\n```\ncode\n```\n\nText") == "cover Text"
    )


@given(st.text(), st.integers(2, 200))
def test_a_description_is_never_longer_than_asked(text: str, limit: int) -> None:
    plain = markdown_to_plain(text, limit=limit)
    assert len(plain) <= limit
    assert "\n" not in plain


def test_without_pictures_there_is_a_link_in_the_place_of_each() -> None:
    html = render_markdown("![me](https://x.org/me.png) ![](y.png)", pictures=False)
    assert html == (
        '<p><a href="https://x.org/me.png" rel="noopener">me</a> '
        '<a href="y.png">y.png</a></p>\n'
    )
    nested = render_markdown("[![me](me.png)](https://x.org)", pictures=False)
    assert nested == '<p><a href="https://x.org" rel="noopener">me</a></p>\n'
    assert "img" not in render_markdown("![*a* & <b>](x.png)", pictures=False)
