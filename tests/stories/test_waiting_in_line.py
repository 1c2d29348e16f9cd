"""Somebody uses up the ways round a mail; honest buyers still get through, in turn."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from handsel import worker
from handsel.sales import brake, checks
from tests import make
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import mails
from tests.stories.test_brake import ask_for_mail, attack, is_asked, link_in_mail, press

# Long, and about nothing in which the databases differ; that is tested below.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FORTY = range(40)
"""The addresses of one who wants to keep everybody out."""


@pytest.fixture
def braked(till: Till) -> Till:
    """A shop with one book, with which stolen cards are tried."""
    make.product(till.shop)
    attack(till, each=brake.LEAST)
    return till


@pytest.fixture
def mailless(braked: Till) -> Till:
    """The same, and no mail goes out any more."""
    (braked.shop.home / "mail").write_text("a file where the folder should be")
    return braked


def ask(visitor: Visitor, email: str) -> str:
    """Ask for a mail, without looking at any page; give where to wait for it."""
    answer = visitor.post("/check/book", {"email": email})
    assert answer.status_code == 303
    return str(answer.location)


def crowd(braked: Till, *, each: int) -> list[Callable[[], TestResponse]]:
    """Ask for mails from forty addresses; give the presses on "No mail has come"."""
    visitors = [braked.visitor(f"192.0.2.{number}") for number in FORTY]
    places = [
        (visitor, ask(visitor, f"r{turn}n{number}@bad.example"))
        for turn in range(each)
        for number, visitor in enumerate(visitors)
    ]
    return [partial(visitor.post, at) for visitor, at in places]


def honest_each_minute(braked: Till) -> Iterator[tuple[int, Visitor]]:
    """Let somebody new come in each of the minutes that the brake stays on."""
    for minute in range(10):
        yield minute, braked.visitor(f"203.0.113.{minute}")
        braked.move(minutes=1)


def lets_go_on(page: TestResponse) -> bool:
    """Say whether this is the page with the button that leads to the payment."""
    return "Thank you" in words(page)


def impatient(visitor: Visitor, waiting: TestResponse) -> TestResponse:
    """Say that no mail has come, and look at what comes."""
    return visitor.press_and_follow(waiting, "/checking/")


@ON_SQLITE
def test_forty_addresses_do_not_use_up_the_mails_of_the_others(braked: Till) -> None:
    crowd(braked, each=4)
    while worker.turn(braked.shop):
        pass
    bad = [each for each in mails(braked.shop) if each.to.endswith("@bad.example")]
    assert len(FORTY) <= len(bad) < checks.MOST_MAILS / 2
    for minute, buyer in honest_each_minute(braked):
        email = f"honest{minute}@example.org"
        ask_for_mail(buyer, press(buyer), email)
        opened = buyer.get(link_in_mail(braked, email))
        assert buyer.press(opened, "/buy/book").status_code == 303


@ON_SQLITE
def test_forty_addresses_do_not_take_every_turn(mailless: Till) -> None:
    presses = crowd(mailless, each=4)
    mailless.move(minutes=1)
    answers = [each() for each in presses]
    assert {each.status_code for each in answers} <= {200, 303}

    waiting: list[tuple[int, Visitor, TestResponse]] = []
    waits: list[int] = []
    for minute, buyer in honest_each_minute(mailless):
        email = f"honest{minute}@example.org"
        waiting.append((minute, buyer, ask_for_mail(buyer, press(buyer), email)))
        for each in list(waiting):
            came, someone, page = each
            if minute > came and lets_go_on(opened := impatient(someone, page)):
                assert someone.press(opened, "/buy/book").status_code == 303
                waiting.remove(each)
                waits.append(minute - came)
    assert len(waits) >= 8
    assert max(waits) <= 7
    assert waits[-1] == 1
    assert untrue(mailless.shop) == {}


def test_whoever_stands_in_line_is_told_when_and_goes_on(mailless: Till) -> None:
    presses = crowd(mailless, each=1)
    mailless.move(minutes=1)
    for each in presses:
        each()
    buyer = mailless.visitor("203.0.113.9")
    waiting = ask_for_mail(buyer, press(buyer))
    mailless.move(minutes=1)
    line = impatient(buyer, waiting)
    assert "In 5 minutes you may go on" in words(line)
    assert "not charged" in words(line)
    html = line.get_data(as_text=True)
    assert f'content="60;url={line.request.path}"' in html
    assert f'data-check="{line.request.path}"' in html

    again = impatient(buyer, waiting)
    assert words(again) == words(line)
    mailless.move(minutes=4, seconds=30)
    assert "In a minute you may" in words(looks := buyer.get(line.request.path))
    assert 'data-refresh="30"' in looks.get_data(as_text=True)
    mailless.move(seconds=30)
    opened = buyer.follow(line.request.path)
    assert lets_go_on(opened)
    assert buyer.press(opened, "/buy/book").status_code == 303


def test_a_turn_is_good_for_one_payment(mailless: Till) -> None:
    buyer = mailless.visitor("203.0.113.9")
    waiting = ask_for_mail(buyer, press(buyer))
    mailless.move(minutes=1)
    opened = impatient(buyer, waiting)
    assert buyer.press(opened, "/buy/book").status_code == 303
    again = impatient(buyer, waiting)
    assert lets_go_on(again)
    assert is_asked(buyer.press(again, "/buy/book"))


def test_one_visitor_gets_few_turns_and_the_others_are_not_in_their_way(
    mailless: Till,
) -> None:
    many = mailless.visitor("192.0.2.1")
    places = [ask(many, f"r{number}@example.org") for number in range(8)]
    mailless.move(minutes=1)
    pages = [many.go_on(many.post(each)) for each in places]
    assert [lets_go_on(each) for each in pages[:3]] == [True, True, False]
    assert ["line is full" in words(each) for each in pages] == [False] * 6 + [True] * 2

    office = mailless.visitor("192.0.2.2")
    waiting = ask_for_mail(office, press(office))
    mailless.move(minutes=1)
    assert lets_go_on(impatient(office, waiting))


def test_presses_at_one_moment_share_the_minute(mailless: Till) -> None:
    visitors = [mailless.visitor(f"192.0.2.{number}") for number in range(16)]
    places = [ask(each, f"r{n}@example.org") for n, each in enumerate(visitors)]
    mailless.move(minutes=1)
    together = Barrier(len(visitors))

    def go(each: tuple[Visitor, str]) -> bool:
        visitor, place = each
        together.wait(30)
        return lets_go_on(visitor.go_on(visitor.post(place)))

    with ThreadPoolExecutor(len(visitors)) as pool:
        went = list(pool.map(go, zip(visitors, places, strict=True)))
    assert went.count(True) == checks.MOST_TURNS
    mailless.move(minutes=2)
    pages = [each.follow(place) for each, place in zip(visitors, places, strict=True)]
    assert all(map(lets_go_on, pages))
