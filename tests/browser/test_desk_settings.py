"""A real Chromium at the settings: a change counts at once, and nothing hinders anybody."""

import re

from playwright.sync_api import Page, expect

from handsel.web.admin.settings import CHAPTERS
from tests.browser.conftest import Demo
from tests.browser.test_desk_uploads import come_in
from tests.browser.test_pages import faults_of


def test_a_change_counts_at_once_and_every_page_is_for_everybody(
    page: Page, demo: Demo
) -> None:
    page.emulate_media(reduced_motion="reduce")
    come_in(page, demo.url, "/admin/settings")
    faults = {"all": faults_of(page)}
    for chapter in CHAPTERS:
        page.goto(f"{demo.url}/admin/settings/{chapter.path}")
        faults[chapter.path] = faults_of(page)
    assert {name: found for name, found in faults.items() if found} == {}

    page.goto(f"{demo.url}/admin/settings/shop")
    name = page.get_by_label("Name of the shop")
    before = name.input_value()
    for each in ("كتب آدا", before):
        name.fill(each)
        page.get_by_role("button", name="Save").click()
        expect(
            page.get_by_text("Saved: Name of the shop. The shop works with it")
        ).to_be_visible()
        expect(page.get_by_role("banner").get_by_role("link").first).to_have_text(each)
        expect(name).to_have_value(each)

    name.fill("")
    page.get_by_label("Language of prices and dates").fill("")
    page.get_by_role("button", name="Save").click()
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("This cannot be empty"))
    page.get_by_role("alert").get_by_role("link", name="Language of prices").click()
    expect(page.get_by_label("Language of prices and dates")).to_be_focused()
    assert faults_of(page) == []
