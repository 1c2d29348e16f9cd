"""A real Chromium, and pages in it: a wide one, a phone, and one without scripts.

A page that these fixtures give must not complain: a script that fails, a policy that is
broken, or a request that leaves this machine fails the test.
"""

import contextlib
from collections.abc import Container, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tools import browser as found

PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 667},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": (
        "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Chrome/153.0.0.0 Mobile Safari/537.36"
    ),
}
_HOME = {"127.0.0.1", "localhost", "::1"}


# Not for the whole session: while it is open an event loop counts as running in the main
# thread, where other tests may want `asyncio.run`.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that `tools/browser.py` found; starting it takes half a second."""
    options = found.launch_options(found.recorded())
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**options)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a visitor who was never here."""
    with visit(browser) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """The same on a phone: 375 pixels wide, with touch."""
    with visit(browser, **PHONE) as opened:
        yield opened


@pytest.fixture
def no_scripts(browser: Browser) -> Iterator[Page]:
    """The same with JavaScript switched off."""
    with visit(browser, java_script_enabled=False) as opened:
        yield opened


@contextlib.contextmanager
def visit(
    browser: Browser, *, played: Container[str] = (), **options: Any
) -> Iterator[Page]:
    """Open an empty page of somebody who was never here, for a second visitor, say.

    Args:
        played: hosts that the test answers for; asking these is no complaint.
        options: of playwright's `new_context`, such as `**PHONE`.
    """
    context = browser.new_context(locale="en-GB", **options)
    complaints: list[str] = []

    def hear_console(message: ConsoleMessage) -> None:
        # A page that answers 404 is for the test to judge, not for us.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def hear_request(request: Request) -> None:
        address = urlsplit(request.url)
        far = address.scheme in ("http", "https") and address.hostname not in _HOME
        if far and address.hostname not in played:
            complaints.append(f"{request.url} was asked for")

    context.on("console", hear_console)
    context.on("weberror", lambda wrong: complaints.append(str(wrong.error)))
    context.on("request", hear_request)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not complaints, "The page complained: " + "; ".join(complaints)


def axe(page: Page) -> list[str]:
    """Say what hinders people on this page: a line per rule broken, with the elements."""
    found_by_axe = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + ", ".join(node["html"] for node in rule["nodes"])
        for rule in found_by_axe
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and let one worker do all of it: browsers are heavy."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group("browser"))
