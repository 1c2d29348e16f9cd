"""A real Chromium buys in the demo."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Download, Page, expect

from handsel.ops import sample
from handsel.sales.payments.test import BANK_FILE
from tests.browser import visits
from tests.browser.conftest import Demo
from tests.browser.visits import fill_in, go_to_payment, mail_for, press_pay
from tests.ground.chromium import visit


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


FIRST_FILE = next(iter(sample.sample_files()))


def same_as_on_the_shelf(download: Download) -> bool:
    """Whether what the browser saved is the first file of the sample, byte for byte."""
    return digest(download.path()) == digest(FIRST_FILE)


def test_four_fields_and_two_clicks_and_the_book_comes_by_itself(
    page: Page, browser: Browser, demo: Demo
) -> None:
    go_to_payment(page, demo)
    typed = page.locator("input:not([type=hidden])")
    assert typed.count() == 4
    fill_in(page, email="ann@example.com")
    with page.expect_download() as saved:
        press_pay(page)

    page.wait_for_url("**/d/*")
    assert saved.value.suggested_filename == FIRST_FILE.name
    assert same_as_on_the_shelf(saved.value)
    expect(page.get_by_text("Your download has started")).to_be_visible()
    with page.expect_download() as pressed:  # as the page says, should nothing happen
        page.get_by_role("button", name="Download").first.click()
    assert same_as_on_the_shelf(pressed.value)
    mine = page.url

    link = mail_for(page, demo, "ann@example.com")
    assert link == mine
    with visit(browser) as elsewhere:
        begun: list[Download] = []
        elsewhere.on("download", lambda each: begun.append(each))
        elsewhere.goto(link, wait_until="networkidle")
        assert elsewhere.evaluate("sessionStorage.length") == 0
        assert begun == []
        expect(elsewhere.get_by_text("5 of 5 left").first).to_be_visible()
        expect(elsewhere.get_by_text("4 of 5 left").first).to_be_visible()
        with elsewhere.expect_download() as again:
            elsewhere.get_by_role("button", name="Download").first.click()
        assert same_as_on_the_shelf(again.value)


def test_reloading_or_coming_back_starts_nothing_again(page: Page, demo: Demo) -> None:
    go_to_payment(page, demo)
    fill_in(page, email="bea@example.com")
    with page.expect_download():
        press_pay(page)
    page.wait_for_url("**/d/*")
    begun: list[Download] = []
    page.on("download", lambda each: begun.append(each))

    page.reload(wait_until="networkidle")
    page.goto(f"{demo.url}/", wait_until="networkidle")
    page.go_back(wait_until="networkidle")

    assert page.url.startswith(f"{demo.url}/d/")
    assert begun == []


def test_the_back_button_after_paying_does_not_sell_it_twice(
    page: Page, demo: Demo
) -> None:
    go_to_payment(page, demo)
    fill_in(page, email="cara@example.com")
    with page.expect_download():
        press_pay(page)
    page.wait_for_url("**/d/*")
    mine = page.url

    page.go_back()
    page.wait_for_url(mine)  # the payment page knows that it is paid
    page.goto(f"{demo.url}/p/the-first-coin")
    page.get_by_role("link", name="Open it").click()

    assert page.url == mine


def test_declined_then_paid(page: Page, demo: Demo) -> None:
    go_to_payment(page, demo)
    fill_in(page, email="dan@example.com", number=visits.DECLINED)
    press_pay(page)

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("You were not charged")
    expect(page.get_by_label("E-mail")).to_have_value("dan@example.com")
    fill_in(page)
    with page.expect_download() as saved:
        press_pay(page)
    assert same_as_on_the_shelf(saved.value)


def test_the_bank_says_no_and_then_yes(page: Page, demo: Demo) -> None:
    go_to_payment(page, demo)
    fill_in(page, email="eve@example.com", number=visits.ASKS)
    press_pay(page)
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("alert")).to_contain_text("You were not charged")

    fill_in(page, number=visits.ASKS)
    press_pay(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Approve").click()
    assert same_as_on_the_shelf(saved.value)
    page.wait_for_url("**/d/*")


def test_a_payment_that_takes_its_time_turns_into_the_files_by_itself(
    page: Page, demo: Demo
) -> None:
    go_to_payment(page, demo)
    fill_in(page, email="fay@example.com", number=visits.PAYS_LATER)
    press_pay(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("being processed")
    # The bank is quicker today than the twenty seconds that this card takes.
    with closing(sqlite3.connect(demo.home / BANK_FILE, isolation_level=None)) as books:
        books.execute("UPDATE session SET arrives_at = paid_at")

    with page.expect_download(timeout=40_000) as saved:
        page.wait_for_url("**/d/*", timeout=40_000)
    assert same_as_on_the_shelf(saved.value)


def test_the_list_of_purchases_opens_by_a_double_click_and_can_be_come_back_to(
    page: Page, demo: Demo
) -> None:
    demo.handsel("simulate", "the-first-coin", "--email", "jo@example.com")
    page.goto(f"{demo.url}/find")
    page.get_by_label("E-mail").fill("jo@example.com")
    page.get_by_role("button", name="Send me the link").dblclick()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    page.goto(mail_for(page, demo, "jo@example.com", "Your purchases"))
    page.get_by_role("button", name="Show my purchases").dblclick()
    page.get_by_role("link", name="The First Coin").click()
    page.wait_for_url("**/d/*")

    page.go_back()
    expect(page.get_by_role("link", name="The First Coin")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="The First Coin")).to_be_visible()


def test_without_scripts(no_scripts: Page, demo: Demo) -> None:
    page = no_scripts
    go_to_payment(page, demo)
    fill_in(page, email="gus@example.com", number=visits.DECLINED)
    press_pay(page)
    expect(page.get_by_role("alert")).to_contain_text("You were not charged")
    fill_in(page)
    press_pay(page)
    page.wait_for_url("**/d/*")

    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").first.click()
    assert same_as_on_the_shelf(saved.value)

    page.get_by_text("Wrong address? Fix it").click()
    page.get_by_label("The right e-mail").fill("gustav@example.com")
    page.get_by_role("button", name="Save and send").click()
    expect(page.get_by_role("status")).to_contain_text("sent the link to the new")
    assert mail_for(page, demo, "gustav@example.com").startswith(f"{demo.url}/d/")


def test_on_a_phone_with_a_thumb(phone: Page, demo: Demo) -> None:
    phone.goto(demo.url)
    phone.get_by_role("heading", name="The First Coin").tap()
    button = phone.get_by_role("button", name="Buy now")
    expect(button).to_be_in_viewport()
    button.tap()
    fill_in(phone, email="hal@example.com")
    with phone.expect_download() as saved:
        phone.get_by_role("button", name="Pay").tap()
    assert same_as_on_the_shelf(saved.value)


def test_by_keyboard_alone(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/p/the-first-coin")
    page.get_by_role("button", name="Buy now").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/testpay/**")
    page.get_by_label("E-mail").focus()
    for text in ("ida@example.com", visits.CARD, "12/34", "123"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert same_as_on_the_shelf(saved.value)
