"""Where an overlay must not come, and what a page of others cannot do to it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Dialog, Page, Response, expect

from tests.browser.conftest import Demo
from tests.browser.sites import (
    inside,
    link,
    open_overlay,
    opener,
    overlay,
    rewrite,
    script,
    site,
)
from tests.ground.chromium import visit
from tests.ground.waiting import wait_until

CLOSE = '{ v: 1, type: "close" }'


@contextmanager
def bold(browser: Browser) -> Iterator[Page]:
    """A page in a browser that may complain: being refused is what is tried."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_site_that_is_not_listed_has_buttons(page: Page, demo: Demo) -> None:
    asked: list[str] = []
    page.on(
        "request",
        lambda each: asked.append(each.url) if each.method == "POST" else None,
    )
    with site(script(demo) + link(demo, "overlay") + link(demo, "card")) as origin:
        for kind in ("overlay", "card"):
            page.goto(origin)
            page.wait_for_function("window.handsel")
            expect(page.locator("iframe")).to_have_count(0)
            page.locator(f"[data-handsel={kind}]").click()
            page.wait_for_url(f"{demo.url}/buy/the-first-coin?page=*")
        assert not asked, "nobody would count it"


def test_where_the_frame_stays_silent_the_link_is_followed(
    browser: Browser, demo: Demo
) -> None:
    """As with a script that was kept when a site is not listed any more."""
    with bold(browser) as page, site(script(demo) + link(demo, "overlay")) as origin:
        known = page.request.get(f"{demo.url}/embed.js").text()
        page.route(
            f"{demo.url}/embed.js*",
            lambda route: route.fulfill(
                body=known.replace(demo.site, origin), content_type="text/javascript"
            ),
        )
        page.goto(origin)
        page.wait_for_function("window.handsel")
        opener(page).click()
        expect(overlay(page).get_by_role("status")).to_have_text("Loading…")
        page.wait_for_url(f"{demo.url}/buy/the-first-coin?page=*")


def test_a_card_that_stays_silent_is_a_button(browser: Browser, demo: Demo) -> None:
    with bold(browser) as page:
        page.route(f"{demo.url}/embed/p/**", lambda route: route.abort())
        rewrite(page, demo, script(demo) + link(demo, "card"))
        page.locator(".handsel-card iframe").wait_for(state="attached")
        page.get_by_role("link", name="Buy the book").click()
        page.wait_for_url(f"{demo.url}/buy/the-first-coin?page=*")


FRAMES = ("/", "/p/the-first-coin", "/buy/the-first-coin", "/find", "/nowhere")


def frames_that_load(page: Page, demo: Demo) -> set[str]:
    """Say which pages of the shop came in the frames of a page."""
    page.locator("iframe").last.wait_for()
    page.wait_for_load_state("load")
    return {
        frame.url.removeprefix(demo.url)
        for frame in page.frames
        if frame.parent_frame and frame.url.startswith(demo.url)
    }


def test_of_all_pages_one_can_be_framed_by_the_listed_site_and_none_by_another(
    browser: Browser, demo: Demo
) -> None:
    framed = "/embed/p/the-first-coin"
    body = "".join(
        f'<iframe src="{demo.url}{path}"></iframe>' for path in (*FRAMES, framed)
    )
    with bold(browser) as page, site(body) as foreign:
        page.goto(foreign)
        assert frames_that_load(page, demo) == set()
        rewrite(page, demo, body)
        assert frames_that_load(page, demo) == {framed}


def test_a_listed_site_in_a_frame_of_a_foreign_one_shows_nothing(
    browser: Browser, demo: Demo
) -> None:
    with (
        bold(browser) as page,
        site(
            f'<iframe src="{demo.site}/" width="900" height="900"></iframe>'
        ) as foreign,
    ):
        page.goto(foreign)
        inner = page.frame_locator("iframe")
        inner.locator(".handsel-card iframe").wait_for(state="attached")
        page.wait_for_load_state("load")
        assert not [each for each in page.frames if each.url.startswith(demo.url)]
        expect(inner.locator(".handsel-card.on")).to_have_count(0)


def test_forged_messages_do_nothing(page: Page, demo: Demo) -> None:
    height = '{ v: 1, type: "resize", h: 99 }'
    forger = f"<script>for (const each of [{CLOSE}, {height}]) parent.postMessage(each, '*')</script>"
    with site(f"{forger}<p id='sent'>sent</p>") as foreign:
        body = script(demo) + link(demo, "card") + link(demo, "overlay")
        rewrite(page, demo, body)
        page.locator(".handsel-card.on").wait_for()
        open_overlay(page)
        before = overlay(page).bounding_box()

        # From the page itself, from a frame of another site, and from a frame of the
        # shop that is not the one in the overlay.
        page.evaluate(f"postMessage({CLOSE}, '*'), postMessage({height}, '*')")
        page.evaluate(
            "src => document.body.append(Object.assign("
            "document.createElement('iframe'), { src, id: 'forger' }))",
            foreign,
        )
        page.frame_locator("#forger").locator("#sent").wait_for()
        [card] = [each for each in page.frames if "&card" in each.url]
        card.evaluate(f"parent.postMessage({CLOSE}, '*')")
        heard = page.evaluate(
            "() => new Promise(done => { addEventListener('message', () => done(1));"
            "postMessage('last', '*') })"
        )
        assert heard
        expect(overlay(page)).to_have_count(1)
        assert overlay(page).bounding_box() == before

        [own] = [each for each in page.frames if "?v=1&&" in each.url]
        for high in ("1e9", "'9px; color: red'", "null", "-5"):
            own.evaluate(
                f"parent.postMessage({{ v: 1, type: 'resize', h: {high} }}, '*')"
            )
        page.evaluate("() => new Promise(done => setTimeout(done))")
        box = overlay(page).bounding_box()
        assert box
        assert 99 <= box["height"] <= 0.92 * 720 + 1
        own.evaluate(f"parent.postMessage({CLOSE}, '*')")
        expect(overlay(page)).to_have_count(0)


def reports(page: Page, demo: Demo) -> list[dict[str, object]]:
    """Give the list in which everything is noted that the shop takes from a page."""
    found: list[dict[str, object]] = []

    def note(answer: Response) -> None:
        if answer.url == f"{demo.url}/e":
            assert answer.status == 204
            found.append(json.loads(answer.request.post_data or ""))

    page.on("response", note)
    return found


COOKIES = (
    "document.cookie = '_ga=GA1.1.1234567890.1700000000';"
    "document.cookie = '_ga_ABC123=GS2.1.s1700000123$o3$g1$t1700000200$j60$l0$h0';"
)
FROM = "https://search.example.org/?q=secret"


def test_what_the_page_knows_goes_along_and_is_reported(page: Page, demo: Demo) -> None:
    found = reports(page, demo)
    page.add_init_script(COOKIES)
    variant = 'data-handsel-variant="headline.b"'
    body = f"<main {variant}>{link(demo, 'overlay')}{link(demo, 'button')}</main>"
    query = "?utm_term=coin&utm_id=7&mail=a@b.c"
    rewrite(page, demo, script(demo) + body, query=query, referer=FROM)
    page.wait_for_function("window.handsel")
    open_overlay(page)

    host = demo.site.removeprefix("http://")
    said = {
        "ref": "search.example.org",
        "page": f"{host}/mine.html",
        "ga": "1234567890.1700000000",
        "gas": "1700000123",
        "variant": "headline.b",
        "utm_term": "coin",
    }
    wait_until(lambda: len(found) >= 2)
    kinds = [each.pop("kind") for each in found]
    assert kinds == ["viewed", "clicked"]
    for each in found:
        each.pop("utm_id", None)
        assert abs(int(str(each.pop("gat"))) - time.time()) < 60
        assert each == said | {"v": 1, "product": "the-first-coin"}
    written = f"{demo.url}/buy/the-first-coin"
    assert opener(page).get_attribute("href") == written  # for whoever copies it
    [frame] = [each for each in page.frames if "/embed/p/" in each.url]
    assert "secret" not in frame.url
    assert "a%40b" not in frame.url
    inside(page).get_by_role("link", name="Buy now").click()
    page.wait_for_url("**/buy/**")
    for name, text in said.items():
        assert page.locator(f"form input[name={name}]").first.input_value() == text


def test_who_does_not_want_to_be_followed_is_not(browser: Browser, demo: Demo) -> None:
    wishes = (
        "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })",
        "Object.defineProperty(navigator, 'doNotTrack', { value: '1' })",
    )
    for wish in wishes:
        with visit(browser) as page:
            found = reports(page, demo)
            page.add_init_script(COOKIES + wish)
            rewrite(page, demo, script(demo) + link(demo, "overlay"))
            page.wait_for_function("window.handsel")
            open_overlay(page)
            inside(page).get_by_role("link", name="Buy now").click()
            page.wait_for_url("**/buy/**")
            assert found == []
            assert "ga" not in page.url.partition("?")[2].replace("page=", "")


PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg onload=alert(1)>",
    "{{ 7*7 }} ${7*7}",
    "' onfocus=alert(1) autofocus x='",
    "javascript:alert(1)",
)


def test_whatever_a_product_is_called_stays_words(page: Page, demo: Demo) -> None:
    """P24, for the framed page and the card."""
    alarms: list[str] = []

    def hear(alarm: Dialog) -> None:
        alarms.append(alarm.message)
        alarm.dismiss()

    page.on("dialog", hear)
    name = " ".join(PAYLOADS)
    file = demo.home.with_name("payload.txt")
    file.write_text("\n\n".join(PAYLOADS))
    words = ("--name", name, "--slug", "payload", "--description", str(file))
    demo.handsel("product", "add", str(file), "--price", "5", *words)
    body = link(demo, "card", slug="payload") + link(demo, "overlay", slug="payload")
    rewrite(page, demo, script(demo) + body)
    page.locator(".handsel-card.on").wait_for()
    open_overlay(page)
    for frame in (inside(page), page.frame_locator(".handsel-card iframe")):
        expect(frame.get_by_role("heading", level=1)).to_have_text(name)
    assert alarms == []
