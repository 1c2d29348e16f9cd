"""While stolen cards are tried: a real Chromium, without scripts, opens a mail and buys."""

import pytest
import requests
from playwright.sync_api import Browser, expect

from handsel.sales import brake
from tests.browser.conftest import Demo
from tests.browser.visits import DECLINED, fill_in, mail_for, press_pay
from tests.ground.chromium import PHONE, visit
from tests.ground.visitor import forms_in


@pytest.fixture
def tested(demo: Demo) -> str:
    """A product of the demo with which stolen cards are tried; gives its path."""
    pamphlet = demo.home.with_name("pamphlet.txt")
    pamphlet.write_text("Read this, too.")
    demo.handsel("product", "add", str(pamphlet), "--price", "5")
    with requests.Session() as tester:
        opened = tester.post(f"{demo.url}/buy/pamphlet", timeout=20)
        [form] = [each for each in forms_in(opened.text) if "testpay" in each.action]
        card = {"email": "x@example.com", "number": DECLINED, "expiry": "12/34"}
        for _ in range(brake.LEAST):
            answer = tester.post(
                demo.url + form.action,
                {**form.fields, **card, "cvc": "123"},
                timeout=20,
            )
            assert answer.status_code == 422
    return "/p/pamphlet"


def test_an_honest_buyer_opens_a_mail_and_buys(
    tested: str, browser: Browser, demo: Demo
) -> None:
    ann = "ann.reader@example.com"
    with visit(browser, **PHONE, java_script_enabled=False) as phone:
        phone.goto(demo.url + tested)
        phone.get_by_role("button", name="Buy now").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("One step more")
        phone.get_by_label("Your e-mail").fill(ann)
        phone.get_by_role("button", name="Send me the mail").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text(
            "Look into your mail"
        )

        phone.goto(mail_for(phone, demo, ann, "Go on buying"))
        phone.get_by_role("button", name="Go on to the payment").click()
        phone.wait_for_url("**/testpay/**")
        assert phone.get_by_label("E-mail").input_value() == ann
        fill_in(phone)
        press_pay(phone)
        phone.wait_for_url("**/d/**")
        expect(phone.get_by_text("pamphlet.txt").first).to_be_visible()
