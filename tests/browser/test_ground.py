"""The browser of the tests shows pages, and its checks can find something."""

import pytest
from playwright.sync_api import Browser, Page

from tests.ground.chromium import axe, visit

FORM = """data:text/html;charset=utf-8,<!doctype html><html lang=en><title>Form</title>
<main><h1>Form</h1><form>{field}</form></main>"""


def test_a_page_is_shown_and_scripts_run(page: Page) -> None:
    page.goto("data:text/html,<p id=a>Hello</p><script>a.append(' you')</script>")
    assert page.inner_text("p") == "Hello you"


def test_without_scripts_none_runs(no_scripts: Page) -> None:
    no_scripts.goto("data:text/html,<p id=a>Hello</p><script>a.append('!')</script>")
    assert no_scripts.inner_text("p") == "Hello"


def test_a_phone_is_narrow_and_has_touch(phone: Page) -> None:
    phone.goto(
        "data:text/html,<meta name=viewport content='width=device-width'><p>Hello</p>"
    )
    assert phone.evaluate("[innerWidth, navigator.maxTouchPoints > 0]") == [375, True]


def test_axe_finds_a_field_without_a_label_and_nothing_when_it_has_one(
    page: Page,
) -> None:
    page.goto(FORM.format(field="<input name=mail>"))
    assert [line.partition(" ")[0] for line in axe(page)] == ["label"]
    page.goto(FORM.format(field="<label>Mail <input name=mail></label>"))
    assert axe(page) == []


POLICY = "<meta http-equiv=content-security-policy content='script-src none'>"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("<script>nobody.knows()</script>", "nobody is not defined"),
        ("<img src=http://elsewhere.test/dot.png>", "elsewhere.test"),
        (POLICY + "<script>1</script>", "Content Security Policy"),
    ],
)
def test_a_page_that_complains_fails_its_test(
    browser: Browser, content: str, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint), visit(browser) as page:
        page.goto(f"data:text/html,{content}")
