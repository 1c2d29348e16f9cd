"""A real Chromium comes into the desk: by the first link, by password, by passkey."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.customers.staff import passkeys
from handsel.kit.errors import ShopError
from handsel.ops import inviting
from handsel.shop import Shop
from handsel.web import create_app
from tests.browser.test_pages import faults_of as faults_as_seen
from tests.ground.chromium import PHONE, visit
from tests.stories.buyers import with_settings
from tests.stories.desks import EMAIL, PASSWORD
from tests.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def desk(shop: Shop) -> Iterator[Shop]:
    """The shop, open at a name: an address of numbers has no passkeys."""
    app = create_app(shop)
    with serving(app) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        there = with_settings(shop, "shop", url=url)
        app.extensions["handsel"] = there
        yield there


def faults_of(page: Page) -> list[str]:
    """Everything that hinders somebody on the page, which is wide again afterwards."""
    page.emulate_media(reduced_motion="reduce")
    found = faults_as_seen(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def with_device(page: Page) -> None:
    """Give a browser a device that can make passkeys, with the person before it."""
    there = page.context.new_cdp_session(page)
    there.send("WebAuthn.enable")
    there.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def begin(page: Page, desk: Shop) -> str:
    """Come in by the first link; give the secret of the codes."""
    page.goto(inviting.add(desk, EMAIL).link)
    page.get_by_text("Type it instead").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    assert faults_of(page) == []
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_label("The six digits").fill(pyotp.TOTP(secret).at(desk.now()))
    page.get_by_role("button", name="Open the desk").click()
    expect(page.get_by_role("heading", name="Codes for paper")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("navigation", name="Desk", exact=True)).to_be_visible()
    return secret


def test_a_seller_comes_in_makes_a_passkey_and_signs_in_with_it(
    desk: Shop, page: Page
) -> None:
    with_device(page)
    begin(page, desk)

    page.get_by_role("link", name="Your account").click()
    assert faults_of(page) == []
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_label("What this device is called").fill("Ada's telephone")
    assert faults_of(page) == []
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("Ada's telephone")
    page.locator("main").get_by_role("button", name="Sign out").last.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert faults_of(page) == []

    with page.expect_request("**/admin/sign-in/passkey") as sent:
        page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("navigation", name="Desk", exact=True)).to_be_visible()

    # What was sent over the line is worth nothing to whoever has heard it.
    sent_form = sent.value.post_data_json
    assert sent_form
    said = sent_form["answer"]
    ours = passkeys.party(desk.settings.public_url, "Ada's")
    assert ours
    with (
        pytest.raises(ShopError, match="could not be used"),
        desk.transaction() as session,
    ):
        passkeys.check(session, ours, said, desk.now())


@pytest.mark.parametrize(
    "answer",
    [
        *("", "null", "[]", "{}", "x" * 20_000, "[" * 10_000),
        json.dumps({"id": "x", "response": {"clientDataJSON": "!!"}}),
        json.dumps({"id": 1, "response": {"clientDataJSON": "e30"}}),
    ],
)
def test_nonsense_in_the_place_of_a_passkey_is_refused(shop: Shop, answer: str) -> None:
    ours = passkeys.party("https://shop.example", "Ada's")
    assert ours
    with (
        pytest.raises(ShopError, match="could not be used"),
        shop.transaction() as session,
    ):
        passkeys.check(session, ours, answer, shop.now())


def test_the_door_fits_a_phone_and_works_without_scripts(
    desk: Shop, browser: Browser, tmp_path: Path
) -> None:
    narrow = PHONE | {"viewport": {"width": 320, "height": 568}}
    with visit(
        browser, java_script_enabled=False, color_scheme="dark", **narrow
    ) as page:
        link = inviting.add(desk, EMAIL).link
        page.goto(link)
        assert _overflow(page) <= 0
        page.goto(f"{desk.settings.public_url}/admin/")
        assert page.url.endswith("/admin/sign-in?next=/admin/")
        expect(page.get_by_role("button", name="passkey")).to_be_hidden()
        assert _overflow(page) <= 0


def _overflow(page: Page) -> int:
    """Say by how many pixels a page is wider than the screen."""
    sizes = page.locator("html").evaluate(
        "each => [each.scrollWidth, each.clientWidth]"
    )
    return int(sizes[0]) - int(sizes[1])
