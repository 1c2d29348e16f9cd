"""A real Chromium without scripts: what runs is seen to end, by itself."""

from playwright.sync_api import Page, expect

from handsel.ops.desk import backups
from tests.browser.conftest import Demo
from tests.browser.test_desk_uploads import come_in
from tests.stories.running import that_runs


def test_a_backup_that_is_made_is_seen_to_end_without_scripts(
    no_scripts: Page, demo: Demo
) -> None:
    runs = no_scripts.get_by_text("A backup is being made.")
    with that_runs(demo.home / "backups" / backups.STATE):
        come_in(no_scripts, demo.url, "/admin/backups")
        expect(runs).to_be_visible()

    expect(runs).to_have_count(0, timeout=20_000)
    assert no_scripts.url.endswith("/admin/backups?by_itself=yes")
    expect(no_scripts.get_by_role("button", name="Make one now")).to_be_visible()
