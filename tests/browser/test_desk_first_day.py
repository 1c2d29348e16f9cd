"""A seller's first day, from the link that `init` prints to the evening's CSV, in Chromium.

Everything is real: the commands, the shop as two processes, the browser, and a line to it that
breaks while a file is sent.
"""

import csv
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_desk_uploads import book
from tests.browser.visits import fill_in
from tests.faults.processes import program
from tests.ground.brittle import BrittleLine, brittle_line
from tests.ground.chromium import visit
from tests.stories.desks import PASSWORD

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Day:
    """A shop that was founded this morning, and the line the seller has to it."""

    home: Path
    url: str
    link: str
    line: BrittleLine

    def handsel(self, *words: str) -> str:
        """Run a command on the server."""
        return handsel(*words, "--home", str(self.home))


def handsel(*words: str) -> str:
    """Run a command, and give what it prints."""
    command = [sys.executable, "-m", "handsel", *words]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HANDSEL_")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=clean
    )
    return done.stdout


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """Found a shop, open it, and give the link to its desk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    home, url = tmp_path / "shop", f"http://{bind}"
    made = handsel(
        "init", str(home), "--name", "Ada's Books", "--email", "ada@example.com",
        "--url", url, "--json",
    )  # fmt: skip
    link = json.loads(made)["desk"]
    command = ("handsel", "run", "--bind", bind, "--json", "--home", str(home))
    with program(*command, log=tmp_path / "log") as shop, brittle_line(url) as line:
        shop.open()
        yield Day(
            home,
            url,
            urlsplit(link)._replace(netloc=urlsplit(line.url).netloc).geturl(),
            line,
        )


def come_in(page: Page, day: Day) -> None:
    """Open the link, choose a password, scan the picture, keep the codes."""
    page.goto(day.link)
    page.get_by_text("Type it instead").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    code = pyotp.TOTP(secret).at(datetime.now(UTC))
    page.get_by_label("The six digits").fill(code)
    page.get_by_role("button", name="Open the desk").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Before you sell")).to_be_visible()


def go(page: Page, name: str) -> None:
    """Go to another part of the desk."""
    page.get_by_role("navigation", name="Desk", exact=True).get_by_role(
        "link", name=name, exact=True
    ).click()


def put_on_sale(page: Page, day: Day, path: Path, cuts: list[int]) -> None:
    """Send a file over a line that breaks, and sell it."""
    go(page, "Products")
    page.get_by_role("link", name="New product").click()
    page.locator(".send[data-ready]").wait_for()
    day.line.cut_after(*cuts)
    page.get_by_label("Files", exact=True).set_input_files(path)
    box = page.get_by_role("checkbox", name=path.name)
    expect(box).to_be_checked(timeout=150_000)
    assert day.line.cuts >= len(cuts)
    page.get_by_label("Name", exact=True).fill("Kettles")
    page.get_by_label("Price in EUR").fill("15")
    page.get_by_role("button", name="Put on sale at once").click()
    expect(page.get_by_role("heading", name="Kettles")).to_be_visible()


def buy_and_read(browser: Browser, day: Day, path: Path) -> None:
    """Buy with test money, and compare what comes with what was sent."""
    with visit(browser, accept_downloads=True) as buyer:
        buyer.goto(f"{day.url}/p/kettles")
        buyer.get_by_role("button", name="Buy now").click()
        fill_in(buyer, email="ann@example.com")
        with buyer.expect_download() as coming:  # it starts by itself
            buyer.get_by_role("button", name="Pay").click()
        with coming.value.path().open("rb") as got, path.open("rb") as sent:
            assert (
                hashlib.file_digest(got, "sha256").digest()
                == hashlib.file_digest(sent, "sha256").digest()
            )


def see_and_refund(page: Page) -> None:
    """See the sale arrive, and give the money back."""
    go(page, "Orders")
    page.get_by_role("link", name="H-1001").click()
    expect(page.locator("main")).to_contain_text("€15.00")
    page.locator("summary", has_text="Give money back").click()
    page.get_by_role("link", name="Say how much").click()
    page.get_by_role("button", name="Look at what will happen").click()
    page.get_by_role("button", name="Give €15.00 back").click()
    expect(page.locator("main")).to_contain_text("refunded")


def write_to_all(page: Page, buyers: int) -> None:
    """Write to everybody who bought, and watch it arrive."""
    go(page, "Updates")
    page.get_by_role("link", name="Write to everyone").click()
    page.get_by_label("Words alone").check()
    page.get_by_role("button", name="Begin to write").click()
    page.get_by_label("Subject").fill("A reading in June")
    page.get_by_label("What you write").fill("Come *all* of you.")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name=f"Send to {buyers:,} buyers").click()
    expect(page.locator(".state strong")).to_have_text("Finished", timeout=120_000)


def try_a_headline(page: Page) -> None:
    """Begin an experiment, and read what it says."""
    go(page, "Experiments")
    page.get_by_label("Name", exact=True).fill("headline")
    page.get_by_label("Variant b").fill("Kettles talk. Listen.")
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("heading", name="headline")).to_be_visible()


def take_the_csv(page: Page, orders: int) -> None:
    """Fetch the list of orders."""
    go(page, "Orders")
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    with coming.value.path().open(newline="", encoding="utf-8-sig") as sheet:
        rows = list(csv.reader(sheet))
    assert len(rows) == 1 + orders


def the_whole_day(
    browser: Browser, day: Day, folder: Path, *, size: int, cuts: list[int], buyers: int
) -> None:
    """From the morning to the evening."""
    path = book(folder, size, "kettles.epub")
    with visit(browser, accept_downloads=True) as page:
        come_in(page, day)
        put_on_sale(page, day, path, cuts)
        buy_and_read(browser, day, path)
        see_and_refund(page)
        day.handsel(
            "simulate", "kettles", "--times", str(buyers), "--email",
            "reader{n}@example.com",
        )  # fmt: skip
        write_to_all(page, buyers)
        try_a_headline(page)
        take_the_csv(page, 1 + buyers)
    assert json.loads(day.handsel("verify", "--json"))["ok"]


def test_a_sellers_first_day(browser: Browser, day: Day, tmp_path: Path) -> None:
    the_whole_day(
        browser, day, tmp_path, size=12_000_000, cuts=[300_000, 5_000_001], buyers=20
    )


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_a_sellers_first_day_at_full_length(
    browser: Browser, day: Day, tmp_path: Path
) -> None:
    cuts = [3_000_000 + 271_828 * number for number in range(30)]
    the_whole_day(browser, day, tmp_path, size=200_000_000, cuts=cuts, buyers=1000)
