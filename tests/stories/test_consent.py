"""A visitor is asked whether they may be known again, says so, and changes their mind."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from handsel.models import Event
from handsel.shop import Shop
from handsel.web import consent
from handsel.web.pages import cookie_name
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import words
from tests.providers.fake_ga4 import ID
from tests.stories.buyers import buy, with_settings
from tests.stories.visiting import Reader, rows, seen

QUESTION = "May we know you when you come back"


@pytest.fixture
def asking(shop: Shop) -> Shop:
    """A shop with one book that asks for Google, which it never calls."""
    make.product(shop)
    return with_settings(shop, "analytics", ga4_id=ID)


@pytest.fixture
def reader(asking: Shop) -> Iterator[Reader]:
    """Somebody at its door."""
    reader = Reader(asking)
    yield reader
    reader.close()


def say(reader: Reader, answer: str, path: str = "/p/book") -> TestResponse:
    """Answer the question on a page."""
    page = reader.get(path)
    return reader.press(page, "/consent", {"answer": answer})


def cookies(reader: Reader) -> dict[str, str]:
    """Give what the browser keeps of ours, by the short names."""
    names = ("consent", "counted", "visit")
    found = {}
    with reader.app.test_request_context():
        for name in names:
            kept = reader.client.get_cookie(cookie_name(name), "127.0.0.1")
            if kept is not None:
                found[name] = kept.value
    return found


def policy(page: TestResponse) -> str:
    """Give what a page may load."""
    return page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/p/book", "/buy/book"])
def test_nothing_is_set_and_nothing_loaded_before_a_yes(
    reader: Reader, path: str
) -> None:
    page = reader.get(path)

    assert QUESTION in words(page)
    assert cookies(reader) == {}
    set_now = page.headers.getlist("Set-Cookie")  # the one that lets a press count once
    assert all(each.startswith("handsel_visitor=") for each in set_now)
    assert all("Max-Age=604800;" in each for each in set_now)
    assert "ga.js" not in page.get_data(as_text=True)
    assert "google" not in policy(page)
    assert page.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/", "/p/book", "/buy/book"])
def test_after_a_yes_the_pages_in_front_load_googles_script_and_ask_no_more(
    reader: Reader, path: str
) -> None:
    back = say(reader, "yes", path)
    page = reader.get(back.headers["Location"])

    assert back.status_code == 303
    assert back.headers["Location"] == path
    assert QUESTION not in words(page)
    html = page.get_data(as_text=True)
    kept = cookies(reader)
    assert f'data-id="{ID}" data-client="{kept["counted"]}"' in html
    assert "https://*.googletagmanager.com" in policy(page)
    assert kept["consent"] == "yes"
    assert reader.client.get_cookie("handsel_counted", "127.0.0.1").http_only  # type: ignore[union-attr]


def test_after_a_no_nothing_is_kept_but_the_no(reader: Reader) -> None:
    page = reader.get(say(reader, "no").headers["Location"])

    assert QUESTION not in words(page)
    assert cookies(reader) == {"consent": "no"}
    assert "ga.js" not in page.get_data(as_text=True)
    assert "google" not in policy(page)


def test_who_changes_their_mind_is_forgotten(reader: Reader) -> None:
    say(reader, "yes")
    for name in ("_ga", "_ga_TEST12345"):
        reader.client.set_cookie(name, "GS1.1.1.1", domain="127.0.0.1")
    page = reader.get("/consent")
    assert "You have said Yes" in words(page)

    gone = reader.press(page, "/consent", {"answer": "no"})

    assert cookies(reader) == {"consent": "no"}
    ended = [each for each in gone.headers.getlist("Set-Cookie") if "_ga" in each]
    assert len({each.split("=")[0] for each in ended}) == 2
    assert all("Max-Age=0" in each for each in ended)
    assert "You have said No" in words(reader.get(gone.headers["Location"]))
    assert "/consent" in reader.get("/find").get_data(as_text=True)


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_a_browser_that_says_no_is_not_asked(
    asking: Shop, reader: Reader, header: str
) -> None:
    say(reader, "yes")
    reader.headers[header] = "1"

    page = reader.get("/p/book")
    assert QUESTION not in words(page)
    assert "ga.js" not in page.get_data(as_text=True)
    assert "Your browser asks" in words(reader.get("/consent"))
    reader.post("/consent", {"answer": "yes", "back": "/"})
    assert cookies(reader)["consent"] == "no"


def test_a_shop_without_need_of_it_asks_nobody(shop: Shop) -> None:
    make.product(shop)
    reader = Reader(shop)
    page = reader.get("/p/book")

    assert QUESTION not in words(page)
    assert "/consent" not in page.get_data(as_text=True)
    assert "nothing to choose" in words(reader.get("/consent"))
    reader.post("/consent", {"answer": "yes", "back": "/"})
    assert cookies(reader) == {"consent": "no"}
    reader.close()


def test_a_cookie_alone_needs_no_google(shop: Shop, asking: Shop) -> None:
    reader = Reader(with_settings(shop, "analytics", consent_cookie=True))
    assert "Google" not in words(reader.get("/p/book"))
    page = reader.get(say(reader, "yes").headers["Location"])

    assert "ga.js" not in page.get_data(as_text=True)
    assert "google" not in policy(page)
    assert set(cookies(reader)) == {"consent", "counted"}
    reader.close()


def test_pages_whose_address_opens_something_neither_ask_nor_load(
    reader: Reader,
) -> None:
    paying = reader.press(reader.get("/p/book"), "/buy/book").headers["Location"]
    bought = buy(reader)
    answers = ("", "yes")
    for said in answers:
        if said:
            say(reader, said)
        for path in (paying, bought.request.path, "/find", "/nowhere"):
            page = reader.get(path)
            assert QUESTION not in words(page), path
            assert "ga.js" not in page.get_data(as_text=True), path
            assert "google" not in policy(page), path
    slip = bought.request.path.replace("/d/", "/p/")
    assert "ga.js" not in reader.get(slip).get_data(as_text=True)
    refused = reader.post("/buy/book", {"coupon": "NONE"})
    assert refused.status_code == 422
    assert "ga.js" not in refused.get_data(as_text=True)


def test_google_is_told_the_campaign_of_an_address_and_nothing_else_of_it(
    reader: Reader,
) -> None:
    path = "/p/book?utm_source=news&coupon=SECRET&session=cs_test_1"
    back = say(reader, "yes", path).headers["Location"]
    html = reader.get(back).get_data(as_text=True)

    assert "coupon=SECRET" in back
    assert 'data-page="http://127.0.0.1:8000/p/book?utm_source=news"' in html


def test_the_address_that_google_is_told_has_no_more_than_the_campaign(
    reader: Reader,
) -> None:
    say(reader, "yes")
    reader.client.set_cookie("_ga", "GA1.1.77.88", domain="127.0.0.1")
    page = reader.get("/p/book?token=abc&vat_id=ATU13585627&utm_campaign=x%26y")
    [address] = [
        each
        for each in page.get_data(as_text=True).split('"')
        if each.startswith("http://127.0.0.1:8000/p/book?")
    ]
    assert address == "http://127.0.0.1:8000/p/book?utm_campaign=x%26y"


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
        "",
        "p/book",
    ],
)
def test_an_answer_leads_nowhere_but_back_into_the_shop(
    reader: Reader, back: str
) -> None:
    for answer in ("yes", "no"):
        sent = reader.post("/consent", {"answer": answer, "back": back})
        assert sent.headers["Location"] == "/"


def test_another_site_cannot_answer_for_a_visitor(reader: Reader) -> None:
    forged = reader._ask(
        "POST",
        "/consent",
        data={"answer": "yes"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert forged.status_code == 403
    assert reader.post("/consent", {"answer": "perhaps"}).status_code == 422
    assert cookies(reader) == {}


def visitors(reader: Reader) -> list[int | None]:
    """Give who was behind each event."""
    seen(reader)
    return [each.visitor for each in rows(reader.shop)]


def test_who_has_said_yes_is_the_same_on_another_day_and_at_another_address(
    reader: Reader, asking: Shop, clock: Clock
) -> None:
    reader.get("/p/book?utm_source=news")
    say(reader, "yes")
    reader.get("/p/book")
    same_day = visitors(reader)
    assert len(set(same_day)) == 1  # nobody is counted twice on the day of the answer
    assert {each[1] for each in seen(reader)} == {"news"}

    clock.move(days=1)
    reader.get("/p/book")
    clock.move(days=30)
    reader._address = "198.51.100.77"
    reader.get("/p/book")
    later = visitors(reader)[len(same_day) :]
    assert len(later) == 2
    assert len(set(later)) == 1
    assert set(later) != set(same_day)


def test_who_has_said_no_is_new_every_day(reader: Reader, clock: Clock) -> None:
    say(reader, "no")
    for _ in range(2):
        clock.move(days=1)
        reader.get("/p/book")

    assert len(set(visitors(reader))) == 3
    assert isinstance(rows(reader.shop)[0], Event)


def test_a_visit_ends_after_half_an_hour_of_nothing(
    reader: Reader, clock: Clock
) -> None:
    say(reader, "yes")
    first = cookies(reader)["visit"]
    assert first == str(int(clock().timestamp()))
    for _ in range(3):
        clock.move(minutes=20)
        page = reader.get("/p/book")
        [kept] = [
            each
            for each in page.headers.getlist("Set-Cookie")
            if each.startswith("handsel_visit=")
        ]
        assert kept.startswith(f"handsel_visit={first};")
        assert "Max-Age=1800" in kept
    reader.client.delete_cookie(
        "handsel_visit", domain="127.0.0.1"
    )  # as a browser does

    reader.get("/p/book")
    assert cookies(reader)["visit"] == str(int(clock().timestamp()))


def test_the_visit_is_that_of_googles_own_script_where_there_is_one(
    reader: Reader,
) -> None:
    say(reader, "yes")
    for value in ("GS1.1.1700000001.3.0.1", "GS2.1.s1700000001$o3$g0"):
        reader.client.set_cookie("_ga_TEST12345", value, domain="127.0.0.1")
        reader.get("/p/book")
        assert cookies(reader)["visit"] == "1700000001"


def test_an_answer_is_good_for_half_a_year(reader: Reader) -> None:
    kept = say(reader, "yes").headers.getlist("Set-Cookie")

    assert {each.split("=")[0] for each in kept} == {
        *("handsel_consent", "handsel_counted", "handsel_visit"),
    }
    lasting = [each for each in kept if "visit" not in each.split("=")[0]]
    assert all(f"Max-Age={consent.KEPT.days * 86400};" in each for each in lasting)
    assert all("HttpOnly" in each and "SameSite=Lax" in each for each in kept)
