"""A real Chromium without scripts: what runs is seen to end, by itself."""

import json
import os

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo
from tests.browser.test_desk_uploads import come_in


def test_a_backup_that_is_made_is_seen_to_end_without_scripts(
    no_scripts: Page, demo: Demo
) -> None:
    folder = demo.home / "backups"
    folder.mkdir(exist_ok=True)
    state = folder / "desk.json"
    state.write_text(json.dumps({"pid": os.getpid(), "problem": ""}))
    come_in(no_scripts, demo.url, "/admin/backups")
    runs = no_scripts.get_by_text("A backup is being made.")
    expect(runs).to_be_visible()

    state.write_text(json.dumps({"pid": 0, "problem": ""}))

    expect(runs).to_have_count(0, timeout=20_000)
    assert no_scripts.url.endswith("/admin/backups?by_itself=yes")
    expect(no_scripts.get_by_role("button", name="Make one now")).to_be_visible()
