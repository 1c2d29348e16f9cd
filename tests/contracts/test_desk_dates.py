"""A moment is written one way at the whole desk, and says which clock it is of."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import handsel
from handsel.web.admin.desk import desk_date

PAGES = sorted((Path(handsel.__file__).parent / "templates/admin").glob("*.html"))
OTHER_WAYS = r"strftime|isoformat|\[:1[06]\]|<time|desk_date\([^)]*\)\[|replace\(.T.,"
MOMENT = r"\{\{ *\(?[a-z_.]*\b(at|[a-z]+_at|since|now)\b *\}\}"


def test_every_page_of_the_desk_writes_moments_by_the_same_words() -> None:
    assert len(PAGES) > 50
    for page in PAGES:
        if page.name == "_charts.html":  # there `at` is a place in a drawing
            continue
        text = page.read_text("utf-8")
        assert re.findall(OTHER_WAYS, text) == [], page.name
        assert re.search(MOMENT, text) is None, page.name
        assert re.search(r"desk_date\([^}]*\}\} UTC", text) is None, page.name


def test_a_moment_says_that_it_is_of_utc_to_people_and_to_programs() -> None:
    written = '<time datetime="2026-11-23T15:04:05Z">2026-11-23 15:04 UTC</time>'
    at = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-8)))
    for each in (at, elsewhere, at.isoformat(), "2026-11-23T15:04:05"):
        assert desk_date(each) == written
    assert desk_date(None) == desk_date("") == ""
