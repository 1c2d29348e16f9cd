"""A real Chromium pays on the shop's own page, with Stripe's part played in the browser.

The page, its script and its policy are those of a real shop: what the policy forbids is a
complaint of the browser, and fails the test.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from handsel.models.words import OrderStatus
from tests import make
from tests.browser.stripe_stage import HOSTS, card_fields, set_the_stage, type_card
from tests.browser.visits import ASKS, CARD, DECLINED
from tests.ground.chromium import axe, visit
from tests.ground.till import Till
from tests.ground.waiting import wait_until
from tests.stories.buyers import with_settings
from tests.web.test_look import TOO_SMALL

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ANN = "ann@example.com"

COUNTING = """
addEventListener("click", (e) => e.isTrusted && noted("click", e.target.textContent), true);
addEventListener("input", (e) => noted("typed", e.target.id), true);
"""


@pytest.fixture
def counter(pays_here: None, till: Till) -> Till:
    """A shop with one book, where buyers pay on its own page; it knows its address."""
    make.product(till.shop)
    till.app.extensions["handsel"] = with_settings(
        till.shop, "shop", url=till.server.url
    )
    return till


@pytest.fixture
def page(browser: Browser, counter: Till) -> Iterator[Page]:
    """An empty page of somebody for whom Stripe is within reach."""
    with visit(browser, played=HOSTS) as opened:
        set_the_stage(opened.context, counter.stripe)
        yield opened


def go_to_payment(page: Page, counter: Till) -> None:
    """From the product to the page with the fields, which are ready to be typed into."""
    page.goto(f"{counter.server.url}/p/book")
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/pay/cs_test_*")
    expect(pay_button(page)).to_be_enabled()


def pay_button(page: Page) -> Locator:
    """The button that says what it does."""
    return page.get_by_role("button", name="Pay €15.00")


def press_pay(page: Page) -> None:
    """Press it."""
    page.get_by_role("button", name="Pay €15.00").click()


def press_stripes_page(page: Page) -> None:
    """Press the other one, which leads to Stripe's page."""
    page.get_by_role("button", name="Pay on Stripe").click()


def problems(page: Page) -> str:
    """What stands on top, once something does."""
    found = page.locator("#problems")
    expect(found).to_be_visible()
    return found.inner_text()


def session_of(page: Page) -> str:
    """The name of the payment that a page is about."""
    return urlsplit(page.url).path.rpartition("/")[2]


def paid_once(counter: Till, name: str) -> None:
    """One charge came through, for one order that is paid."""
    charges = counter.stripe.bank.kept["charge"].values()
    assert [each["status"] for each in charges if each["paid"]] == ["succeeded"]
    order = counter.order(name)
    assert order
    assert order.status is OrderStatus.PAID


def counting(context: BrowserContext) -> tuple[list[str], set[str]]:
    """Count presses, and fields typed into, on every page and in every frame."""
    clicks: list[str] = []
    fields: set[str] = set()

    def note(_: object, kind: str, what: str) -> None:
        if kind == "click":
            clicks.append(what.strip())
        else:
            fields.add(what)

    context.expose_binding("noted", note)
    context.add_init_script(COUNTING)
    return clicks, fields


def test_from_buy_to_the_file_it_is_two_clicks_and_four_typed_fields(
    page: Page, counter: Till
) -> None:
    clicks, fields = counting(page.context)
    go_to_payment(page, counter)
    name = session_of(page)
    asked = page.locator("form#pay input:not([type=hidden])").count()
    asked += card_fields(page).locator("input:visible").count()
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    with page.expect_download() as saved:
        press_pay(page)
    page.wait_for_url("**/d/*")

    assert clicks == ["Buy now", "Pay €15.00"]
    assert fields == {"email", "number", "expiry", "cvc"}
    assert asked == 4
    assert Path(saved.value.path()).read_bytes() == make.BOOK
    expect(page.get_by_text(ANN).first).to_be_visible()
    paid_once(counter, name)


def test_who_has_a_wallet_types_nothing(browser: Browser, counter: Till) -> None:
    with visit(browser, played=HOSTS) as page:
        set_the_stage(page.context, counter.stripe, wallets=True)
        clicks, fields = counting(page.context)
        go_to_payment(page, counter)
        wallet = page.frame_locator("#wallets iframe").get_by_role("button")
        above = page.locator("#wallets").bounding_box()
        below = page.get_by_label("E-mail").bounding_box()
        assert above
        assert below
        assert above["y"] < below["y"]
        wallet.click()
        page.wait_for_url("**/d/*")
        assert (clicks, fields) == (["Buy now", "G Pay"], set())
        expect(page.get_by_text("wallet@example.com").first).to_be_visible()


def test_without_a_wallet_there_is_no_place_for_one(page: Page, counter: Till) -> None:
    go_to_payment(page, counter)
    expect(page.get_by_text("or by card")).to_be_hidden()


def test_a_declined_card_says_so_and_keeps_the_form(page: Page, counter: Till) -> None:
    go_to_payment(page, counter)
    name = session_of(page)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, DECLINED)
    press_pay(page)

    assert "You were not charged\nYour card was declined." in problems(page)
    expect(page.locator("#problems")).to_be_focused()
    expect(page.get_by_label("E-mail")).to_have_value(ANN)
    expect(card_fields(page).get_by_label("Card number")).to_have_value(DECLINED)
    assert axe(page) == []

    type_card(page, CARD)
    press_pay(page)
    page.wait_for_url("**/d/*")
    paid_once(counter, name)


def test_a_field_that_is_not_filled_in_says_so_itself_and_on_top(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, "4242")
    press_pay(page)
    assert "card number is incomplete" in problems(page)
    expect(card_fields(page).get_by_role("alert")).to_contain_text("incomplete")


def test_the_bank_asks_on_this_page_and_may_be_refused(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    name = session_of(page)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, ASKS)
    bank = page.frame_locator("iframe[title='Your bank asks']")

    press_pay(page)
    bank.get_by_role("button", name="Refuse").click()
    assert "You were not charged" in problems(page)
    assert session_of(page) == name

    press_pay(page)
    bank.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/d/*")
    paid_once(counter, name)


def test_an_address_that_cannot_be_right_is_said_at_its_field(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    field = page.get_by_label("E-mail")
    field.fill("ann@")
    type_card(page, CARD)
    press_pay(page)

    assert "not a complete e-mail address" in problems(page)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "email-error email-hint")
    expect(page.locator("#email-error")).to_contain_text("not a complete")
    assert axe(page) == []
    assert not counter.stripe.bank.kept["charge"]

    page.locator("#problems a").click()
    expect(field).to_be_focused()
    field.fill(ANN)
    press_pay(page)
    page.wait_for_url("**/d/*")


def test_a_slip_of_the_finger_is_asked_about_and_mended_by_one_press(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    field = page.get_by_label("E-mail")
    field.fill("ann@gmial.com")
    field.blur()
    page.get_by_role("button", name="ann@gmail.com").click()
    expect(field).to_have_value("ann@gmail.com")
    expect(page.get_by_text("Did you mean")).to_be_hidden()


def test_pressed_twice_it_is_paid_once(page: Page, counter: Till) -> None:
    counter.stripe.faults.slow(0.3)
    go_to_payment(page, counter)
    name = session_of(page)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    page.get_by_role("button", name="Pay €15.00").dblclick()
    page.wait_for_url("**/d/*")
    confirmed = [call for call in counter.stripe.calls if call.endswith("/confirm")]
    assert len(confirmed) == 1
    paid_once(counter, name)


def test_an_answer_that_is_lost_on_its_way_is_asked_for_at_the_shop(
    page: Page, counter: Till
) -> None:
    def lose(route: Route) -> None:
        requests.post(
            counter.stripe.origin + urlsplit(route.request.url).path,
            route.request.post_data or "",
            timeout=10,
        )
        route.abort()

    go_to_payment(page, counter)
    name = session_of(page)
    page.context.route("https://api.stripe.com/**/confirm", lose)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    press_pay(page)
    page.wait_for_url("**/d/*")
    paid_once(counter, name)


def test_loading_the_page_again_is_the_same_payment(page: Page, counter: Till) -> None:
    go_to_payment(page, counter)
    name = session_of(page)
    page.get_by_label("E-mail").fill(ANN)
    page.reload()
    expect(pay_button(page)).to_be_enabled()
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    press_pay(page)
    page.wait_for_url("**/d/*")
    paid_once(counter, name)


def test_the_back_button_after_paying_leads_to_the_purchase(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    with page.expect_download():
        press_pay(page)
    page.wait_for_url("**/d/*")
    mine = page.url
    page.go_back()
    page.wait_for_url(mine)


def test_a_second_tab_in_which_it_is_paid_already_shows_the_purchase(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    name = session_of(page)
    other = page.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        expect(pay_button(tab)).to_be_enabled()
        tab.get_by_label("E-mail").fill(ANN)
        type_card(tab, CARD)
        press_pay(tab)
        tab.wait_for_url("**/d/*")
    assert page.url == other.url
    paid_once(counter, name)


def test_a_payment_that_runs_out_while_one_types_says_that_nothing_was_charged(
    page: Page, counter: Till
) -> None:
    go_to_payment(page, counter)
    page.get_by_label("E-mail").fill(ANN)
    type_card(page, CARD)
    counter.move(hours=25)
    press_pay(page)
    page.wait_for_url("**/p/book?cancelled=1")
    expect(page.get_by_role("status")).to_contain_text("You were not charged")


def test_when_stripes_script_is_blocked_its_own_page_is_still_there(
    browser: Browser, counter: Till
) -> None:
    with visit(browser, played=HOSTS) as page:
        page.context.route("https://js.stripe.com/**", lambda route: route.abort())
        page.goto(f"{counter.server.url}/p/book")
        page.get_by_role("button", name="Buy now").click()
        assert "could not be loaded" in problems(page)
        first = session_of(page)
        pay_on_stripes_page(page, counter, first)


def test_when_stripes_script_does_not_come_one_is_not_left_waiting(
    browser: Browser, counter: Till
) -> None:
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    with visit(browser, played=HOSTS) as page:
        set_the_stage(page.context, counter.stripe)
        page.context.route("https://js.stripe.com/**", hold)
        page.clock.install()
        page.goto(f"{counter.server.url}/p/book")
        page.get_by_role("button", name="Buy now").click(no_wait_after=True)
        page.wait_for_url("**/pay/cs_test_*", wait_until="domcontentloaded")
        wait_until(lambda: page.evaluate("1") and bool(late))
        page.clock.fast_forward(9000)
        assert "could not be loaded" in problems(page)
        late[0].fallback()  # it comes after all
        page.context.unroute("https://js.stripe.com/**", hold)
        expect(page.locator("#problems")).to_be_hidden()
        expect(pay_button(page)).to_be_enabled()


def test_without_scripts_the_page_says_so_and_leads_to_stripes(
    no_scripts: Page, counter: Till
) -> None:
    page = no_scripts
    page.goto(f"{counter.server.url}/p/book")
    page.get_by_role("button", name="Buy now").click()
    expect(page.locator("noscript p")).to_contain_text("need JavaScript")
    expect(page.get_by_label("E-mail")).to_be_hidden()
    assert page.locator("button:visible:not([disabled])").count() == 1
    pay_on_stripes_page(page, counter, session_of(page))


def pay_on_stripes_page(page: Page, counter: Till, first: str) -> None:
    """Press the other button and pay there; the first payment is over by then."""
    press_stripes_page(page)
    page.wait_for_url("**/c/pay/**")
    second = session_of(page)
    assert counter.stripe.bank.get("session", first)["status"] == "expired"
    page.get_by_label("Email").fill(ANN)
    page.get_by_label("Card number").fill(CARD)
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/d/*")
    paid_once(counter, second)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_suits_small_screens_dark_rooms_and_screen_readers(
    scheme: str, browser: Browser, counter: Till
) -> None:
    small = {"width": 320, "height": 640}
    with visit(browser, played=HOSTS, viewport=small, color_scheme=scheme) as page:
        set_the_stage(page.context, counter.stripe, wallets=True)
        go_to_payment(page, counter)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.evaluate(TOO_SMALL) == []
        assert axe(page) == []
        paper = page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        inside = card_fields(page).locator("body")
        assert inside.evaluate("e => getComputedStyle(e).backgroundColor") == paper
        page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
        expect(inside).not_to_have_css("background-color", paper)


def test_by_keyboard_alone(page: Page, counter: Till) -> None:
    go_to_payment(page, counter)
    page.get_by_label("E-mail").focus()
    for text in (ANN, CARD, "12/34", "123"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/d/*")


def test_enter_in_the_address_is_a_press_on_pay(page: Page, counter: Till) -> None:
    go_to_payment(page, counter)
    type_card(page, CARD)
    page.get_by_label("E-mail").fill(ANN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/d/*")


def test_no_other_page_lets_anything_of_stripes_in(page: Page, counter: Till) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/p/book", "/buy/book", "/find", "/p/none"):
        page.goto(f"{counter.server.url}{path}")
    assert not [url for url in asked if re.search(r"stripe|link\.com", url)]
