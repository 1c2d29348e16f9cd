"""Make the picture of the README anew: a throw-away shop, a real browser, a purchase.

Needs the browser that `make test` has found. Usage: python -m tools.pictures
"""

import base64
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tools import browser

PICTURE = Path(__file__).parents[1] / "docs/pictures/shop.png"
PORT = 8078
WIDE, PHONE = (1060, 942), (375, 800)
BOARD = """<!doctype html><style>
body {{ margin: 0; padding: 28px; width: 1304px; background: #d9d5cb;
  display: grid; grid-template-columns: 900px 1fr; gap: 28px; }}
img {{ display: block; width: 100%; border-radius: 8px; box-shadow: 0 2px 14px #0004; }}
</style>{images}"""


def main() -> None:
    """Buy the sample book on a wide screen and on a phone; paste what was seen."""
    with open_shop() as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            **browser.launch_options(browser.recorded())
        )
        wide = seen(chromium, address, WIDE, bought=False)
        phone = seen(chromium, address, PHONE, bought=True)
        paste(chromium, [wide, phone])
        chromium.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")


@contextmanager
def open_shop() -> Iterator[str]:
    """Run the demo in a folder that goes away; give its address."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "handsel", "demo", "--home", home]
        shop = subprocess.Popen(
            [*command, "--port", str(PORT)], stdout=subprocess.PIPE, text=True
        )
        assert shop.stdout
        try:
            found = re.search(r"http://\S+", shop.stdout.readline())
            assert found, "the demo did not open"
            yield found[0]
        finally:
            shop.terminate()
            shop.wait(timeout=40)


def seen(
    chromium: Browser, address: str, size: tuple[int, int], *, bought: bool
) -> bytes:
    """Give a picture of the product's page, or of the page after buying it."""
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{address}/p/the-first-coin")
    if bought:
        buy(page)
    page.wait_for_load_state("networkidle")
    picture = page.screenshot()
    page.close()
    return picture


def buy(page: Page) -> None:
    """Press Buy, type four fields, press Pay."""
    page.get_by_role("button", name="Buy now").click()
    page.get_by_label("E-mail").fill("reader@example.com")
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/d/*")


def paste(chromium: Browser, pictures: list[bytes]) -> None:
    """Put the pictures side by side into one."""
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(each).decode()}">'
        for each in pictures
    )
    board = chromium.new_page(viewport={"width": 1360, "height": 100})
    board.set_content(BOARD.format(images=images))
    board.screenshot(path=PICTURE, full_page=True)


if __name__ == "__main__":
    main()
