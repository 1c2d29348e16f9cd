"""The pages as people meet them: a real Chromium, a strict policy, small and large."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from handsel.ops import sample
from tests.ground.chromium import PHONE, axe, visit
from tests.web.pages import PAGES, Context
from tests.web.test_templates import render, render_mail

PACKAGE = Path(sample.__file__).parents[2]
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'"
)
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)

# Of what can be pressed; a link inside a sentence needs no size (WCAG 2.2, 2.5.8).
TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, summary")]
  .filter((e) => e.checkVisibility() && getComputedStyle(e).display != "inline")
  .filter((e) => e.type != "hidden" && !e.matches(".skip"))
  // What is pressed to choose one of several is its label.
  .map((e) => ["radio", "checkbox"].includes(e.type) ? e.labels[0] : e)
  .filter((e) => e.getBoundingClientRect().height < 43.5)
  .map((e) => e.outerHTML)"""


class Window(ThreadingHTTPServer):
    """Shows every example page at `/page/<name>` and remembers what was posted.

    `other` is given to the pages instead of what their examples say.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.posted: list[str] = []
        self.other: Context = {}

    def address(self, name: str) -> str:
        """The address of an example page."""
        return f"http://127.0.0.1:{self.server_port}/page/{quote(name)}"


class Answer(BaseHTTPRequestHandler):
    """Answers from the examples; a press on any button is a download of a few bytes."""

    server: Window

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/static/"):
            file = PACKAGE / path[1:]
            self._send(file.read_bytes(), KINDS[file.suffix])
        elif path == "/cover.png":
            self._send(sample.sample_cover().read_bytes(), "image/png")
        elif path.startswith("/mailbox/"):
            mail = render_mail("receipt", "html").encode()
            self._send(mail, "text/html; charset=utf-8", MAIL_POLICY)
        else:
            name = path.removeprefix("/page/") if path.startswith("/page/") else "error"
            page = render(name, test_mode=True, **self.server.other)
            self._send(page.encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(self.path)
        self._send(b"a book", "application/octet-stream")

    def _send(self, body: bytes, kind: str, policy: str = POLICY) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def window() -> Iterator[Window]:
    """A server of the example pages."""
    server = Window()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


# Its script asks Stripe, so it is looked at where Stripe is played: `test_pay_page`.
QUIET = [name for name, (template, _) in PAGES.items() if template != "pay.html"]


@pytest.mark.parametrize("name", QUIET)
def test_a_page_suits_small_screens_dark_rooms_and_screen_readers(
    name: str, window: Window, browser: Browser
) -> None:
    small = {"width": 320, "height": 640}
    with visit(browser, viewport=small, color_scheme="dark") as page:
        page.goto(window.address(name))
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.evaluate(TOO_SMALL) == []
        assert axe(page) == []
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size({"width": 1280, "height": 800})
        assert axe(page) == []


@pytest.mark.parametrize("name", ["product", "product two ways"])
def test_the_buy_button_is_always_in_view_on_a_phone(
    name: str, window: Window, phone: Page
) -> None:
    phone.goto(window.address(name))
    for depth in (0, 200, 10_000):
        phone.evaluate(f"scrollTo(0, {depth})")
        for button in phone.locator(".buy button").all():
            box = button.bounding_box()
            assert box
            assert box["y"] > 0
            assert box["y"] + box["height"] <= PHONE["viewport"]["height"]


def test_nothing_moves_when_the_cover_comes_late(window: Window, phone: Page) -> None:
    late: list[Route] = []
    phone.route("**/cover.png", lambda route: late.append(route))
    phone.goto(window.address("product"), wait_until="domcontentloaded")
    heading = phone.get_by_role("heading", level=1)
    before = heading.bounding_box()  # waits; by then the cover has been asked for
    assert late
    late[0].continue_()
    phone.wait_for_load_state("load")
    assert heading.bounding_box() == before


def test_the_first_download_starts_by_itself_once(window: Window, page: Page) -> None:
    with page.expect_download():
        page.goto(window.address("purchase first"))
    assert page.get_by_role("status").first.is_visible()
    page.reload()
    with page.expect_download():
        page.get_by_role("button", name="Download PDF").first.click()
    assert window.posted == ["/d/token/1", "/d/token/2"]


def test_without_scripts_nothing_starts_and_every_button_works(
    window: Window, no_scripts: Page
) -> None:
    no_scripts.goto(window.address("purchase first"))
    with no_scripts.expect_download():
        no_scripts.get_by_role("button", name="Download EPUB").click()
    assert window.posted == ["/d/token/1"]


def test_a_second_press_while_the_first_is_on_its_way_does_nothing(
    window: Window, page: Page
) -> None:
    page.goto(window.address("testpay"))
    pay = page.get_by_role("button", name="Pay €15.00")
    with page.expect_download():
        pay.click()
    page.evaluate(
        "addEventListener('submit', (e) => (window.held = e.defaultPrevented))"
    )
    pay.click()
    assert page.evaluate("window.held") is True
    assert window.posted == ["/test/pay/1"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_that_waits_for_the_money_looks_again(
    scripts: bool, window: Window, browser: Browser
) -> None:
    window.other = {"refresh_seconds": 1}
    with visit(browser, java_script_enabled=scripts) as page:
        page.goto(window.address("processing"))
        page.wait_for_url(lambda url: url.endswith("/return/test?session=1"))


def test_the_link_of_a_framed_mail_opens(window: Window, browser: Browser) -> None:
    # Not `page`: playwright looks into the frame by a script, which the frame forbids.
    context = browser.new_context()
    context.route("https://books.example/**", lambda route: route.fulfill(body="here"))
    page = context.new_page()
    page.goto(window.address("mail"))
    with context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Open The First").click()
    opened.value.wait_for_url("https://books.example/d/*")
    context.close()
