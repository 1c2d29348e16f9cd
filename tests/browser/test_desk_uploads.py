"""A real Chromium sends files to the desk over a line that breaks."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.delivery.storage.uploads import Upload, Uploads
from handsel.ops import sample
from handsel.web.admin.tray import WHOLE
from tests.browser.conftest import Demo
from tests.ground.brittle import BrittleLine, brittle_line
from tests.ground.chromium import axe, visit
from tests.ground.waiting import wait_until


@pytest.fixture
def line(demo: Demo) -> Iterator[BrittleLine]:
    """A line to the demo that can be cut."""
    with brittle_line(demo.url) as opened:
        yield opened


def come_in(page: Page, url: str, place: str = "/admin/uploads") -> None:
    """Sign in at the demo's desk, and go to a page of it."""
    page.goto(f"{url}/admin/sign-in?next={place}")
    page.get_by_role("button", name="Look around in the demo").click()
    page.wait_for_url(f"**{place}")


def book(folder: Path, size: int, name: str = "long book.epub") -> Path:
    """A file of random bytes to send."""
    path = folder / name
    with path.open("wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - start)))
    return path


def arrived(demo: Demo, name: str) -> Upload:
    """What is here of a file."""
    shelf = Uploads(demo.home / "data" / "files" / "uploads")
    return next(each for each in shelf.waiting() if each.name == name)


def send_over_a_line_that_breaks(
    page: Page, demo: Demo, line: BrittleLine, path: Path, cuts: list[int]
) -> None:
    come_in(page, line.url)
    line.cut_after(*cuts)
    page.get_by_label("Files").set_input_files(path)
    row = page.get_by_role("listitem").filter(has_text=path.name)
    expect(row.get_by_text(", here")).to_be_visible(timeout=150_000)
    assert line.cuts == len(cuts)
    there = arrived(demo, path.name)
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == there.sha256
    with there.path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == there.sha256


def test_a_file_goes_on_where_the_line_broke(
    page: Page, demo: Demo, line: BrittleLine, tmp_path: Path
) -> None:
    path = book(tmp_path, 20_000_000)
    cuts = [300_000, 2_000_000, 200, 5_000_001, 7_777_777]
    send_over_a_line_that_breaks(page, demo, line, path, cuts)
    assert axe(page) == []


@pytest.mark.storm
def test_two_hundred_megabytes_arrive_over_a_line_that_breaks_every_few(
    page: Page, demo: Demo, line: BrittleLine, tmp_path: Path
) -> None:
    path = book(tmp_path, 200_000_000, "two hundred.zip")
    cuts = [3_000_000 + 271_828 * number for number in range(30)]
    send_over_a_line_that_breaks(page, demo, line, path, cuts)


def test_a_page_that_is_opened_again_goes_on_with_the_same_file(
    page: Page, demo: Demo, line: BrittleLine, tmp_path: Path
) -> None:
    path = book(tmp_path, 6_000_000, "again.pdf")
    come_in(page, line.url)
    line.cut_after(4_000_000, 0)
    page.get_by_label("Files").set_input_files(path)
    wait_until(lambda: line.cuts)
    line.hold()
    row = page.get_by_role("listitem").filter(has_text=path.name)
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_text("Rests at")).to_be_visible()
    here = arrived(demo, path.name)
    assert 0 < here.offset < 6_000_000
    line.cut_after()
    line.release()

    page.reload()
    page.get_by_label("Files").set_input_files(path)

    expect(row.get_by_text(", here")).to_be_visible(timeout=20_000)
    there = arrived(demo, path.name)
    assert there.id == here.id
    assert there.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    page.get_by_label("Files").set_input_files(path)
    expect(page.get_by_text("is in the list already")).to_be_attached()


def test_files_can_be_dropped_paused_and_left(
    phone: Page, demo: Demo, line: BrittleLine, tmp_path: Path
) -> None:
    come_in(phone, line.url)
    phone.locator("form[data-ready]").wait_for()
    line.hold()
    for name in ("one.pdf", "two.pdf", "three.pdf"):
        phone.get_by_label("Files").set_input_files(book(tmp_path, 300_000, name))
    rows = phone.get_by_label("On their way").get_by_role("listitem")
    expect(rows.nth(2)).to_contain_text("waits for its turn")
    rows.nth(0).get_by_role("button", name="Pause").click()
    rows.nth(1).get_by_role("button", name="Leave it").click()
    line.release()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text(", here")
    expect(rows.nth(0)).to_contain_text("Rests")
    rows.nth(0).get_by_role("button", name="Go on").click()
    expect(rows.nth(0)).to_contain_text(", here")
    phone.locator(".drop").evaluate(
        """place => {
            const bag = new DataTransfer();
            bag.items.add(new File(["dropped"], "dropped.txt"));
            place.dispatchEvent(new DragEvent("drop", {dataTransfer: bag}));
        }"""
    )
    expect(rows.nth(2)).to_contain_text("dropped.txt")
    expect(rows.nth(2)).to_contain_text(", here")
    assert axe(phone) == []


def test_without_scripts_nothing_typed_is_lost_by_sending_a_file(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    with visit(browser, java_script_enabled=False) as page:
        come_in(page, demo.url, "/admin/new-product")
        page.get_by_label("Name").fill("Typed before")
        page.get_by_label("Price in EUR").fill("7.50")
        files = page.locator("#files")
        picture = tmp_path / "front.png"
        picture.write_bytes(sample.sample_cover().read_bytes())
        files.set_input_files([book(tmp_path, 30_000, "typed.pdf"), picture])
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("status").first).to_contain_text(
            "typed.pdf, front.png: here"
        )
        expect(page.get_by_role("checkbox", name="typed.pdf")).to_be_checked()
        cover = page.get_by_label("Cover", exact=True)
        expect(cover.locator("option:checked")).to_have_text("front.png")
        expect(page.get_by_label("Price in EUR")).to_have_value("7.50")
        # Enter is not what sends files, though that button comes first.
        page.get_by_label("Name").press("Enter")
        expect(page.get_by_role("status").first).to_contain_text(
            "Typed before is a draft"
        )
        page.locator("#files").set_input_files(picture)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("front.png was not sent yet")
        page.goto(f"{demo.url}/admin/products/typed-before/release")
        page.get_by_label("Version").fill("1.1")
        page.get_by_label("What is new").fill("More of it.")
        files.set_input_files(book(tmp_path, 40_000, "typed.pdf"))
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_label("What is new")).to_have_value("More of it.")
        page.get_by_role("button", name="See what changes").click()
        expect(page.get_by_role("heading", name="1.1")).to_be_visible()


def test_without_scripts_a_file_is_sent_by_the_form(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    with visit(browser, java_script_enabled=False) as page:
        come_in(page, demo.url)
        page.get_by_label("Files").set_input_files(
            book(tmp_path, 3_000_000, "plain.pdf")
        )
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("plain.pdf: here, and waiting")).to_be_visible()
        page.get_by_role("row", name="plain.pdf").get_by_role(
            "button", name="Remove"
        ).click()
        expect(page.get_by_role("row", name="plain.pdf")).to_have_count(0)


def test_without_scripts_too_much_is_said_and_nothing_typed_is_lost(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    large = tmp_path / "too large.zip"
    with large.open("wb") as file:
        file.truncate(WHOLE + 1)
    with visit(browser, java_script_enabled=False) as page:
        come_in(page, demo.url, "/admin/new-product")
        page.get_by_label("Price in EUR").fill("7.50")
        page.get_by_label("Version").fill("3.1")
        page.locator("#files").set_input_files(large)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_contain_text("100 MB at a time")
        expect(page.get_by_label("Price in EUR")).to_have_value("7.50")
        expect(page.get_by_label("Version")).to_have_value("3.1")


def test_without_scripts_whoever_was_signed_out_goes_on_with_what_was_typed(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    with visit(browser, java_script_enabled=False) as page:
        come_in(page, demo.url, "/admin/new-product")
        page.get_by_label("Name").fill("Typed too late")
        page.locator("#files").set_input_files(book(tmp_path, 300_000, "late.pdf"))
        page.context.clear_cookies(name="handsel_staff")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
        expect(page.get_by_text("The files are not here")).to_be_visible()
        come_in(page.context.new_page(), demo.url)
        page.get_by_role("button", name="Back to the form").click()
        expect(page.get_by_label("Name")).to_have_value("Typed too late")
