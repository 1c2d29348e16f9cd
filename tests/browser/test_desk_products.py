"""A real Chromium puts something on sale at the desk, on a telephone and on a wide screen."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from handsel.ops import sample
from tests.browser.conftest import Demo
from tests.browser.test_desk_uploads import come_in
from tests.ground.chromium import axe, visit

COVER = Path(sample.__file__).with_name("cover.png")
BOOK = next(iter(sample.sample_files()))


def test_a_file_is_sent_made_a_draft_looked_at_and_put_on_sale(
    phone: Page, demo: Demo
) -> None:
    come_in(phone, demo.url, "/admin/new-product")
    phone.locator(".send[data-ready]").wait_for()
    phone.get_by_label("Files", exact=True).set_input_files([BOOK, COVER])
    expect(phone.get_by_role("checkbox", name=BOOK.name)).to_be_checked()
    cover = phone.get_by_label("Cover", exact=True)
    expect(cover.locator("option:checked")).to_have_text("cover.png")
    expect(phone.get_by_role("checkbox", name="cover.png")).not_to_be_checked()
    phone.get_by_label("Name").fill("Sent from a telephone")
    phone.get_by_label("Description", exact=True).fill("It is *lovely*.")
    expect(phone.locator("#looks em")).to_have_text("lovely")
    phone.get_by_label("Price in EUR").fill("7,50")
    assert axe(phone) == []
    phone.get_by_role("button", name="Save as a draft").click()

    expect(phone.get_by_role("status").first).to_contain_text("is a draft")
    assert axe(phone) == []
    phone.get_by_role("link", name="Look as a buyer").click()
    expect(phone.get_by_role("button", name="Buy now")).to_be_disabled()
    expect(phone.get_by_text("€7.50").first).to_be_visible()
    phone.get_by_role("link", name="Back to the desk").click()
    phone.get_by_role("button", name="Put on sale").click()
    phone.goto(f"{demo.url}/p/sent-from-a-telephone")
    expect(phone.get_by_role("button", name="Buy now")).to_be_enabled()


def test_pieces_are_copied_and_a_coupon_is_made(browser: Browser, demo: Demo) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visit(browser, permissions=allowed) as page:
        come_in(page, demo.url, "/admin/products/the-first-coin/embed")
        page.get_by_role("button", name="Copy: An overlay on your page").click()
        expect(page.get_by_text("Copied.")).to_be_attached()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f'<a href="{demo.url}/buy/the-first-coin"')
        assert axe(page) == []
        page.goto(f"{demo.url}/admin/new-coupon?product=the-first-coin")
        expect(page.get_by_role("checkbox", name="The First Coin")).to_be_checked()
        page.get_by_label("Code", exact=True).fill("browser")
        page.get_by_label("How much").fill("10")
        assert axe(page) == []
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("heading", name="BROWSER")).to_be_visible()
        assert axe(page) == []
