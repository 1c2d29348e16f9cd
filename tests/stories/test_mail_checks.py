"""The mail that is opened before paying: what it is good for, and what if it never comes."""

import dataclasses
from collections.abc import Callable

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from handsel import worker
from handsel.models import OutboxItem
from handsel.models.words import OutboxState
from handsel.outbound import outbox
from handsel.sales import brake, checks
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.ground.till import Till, rows
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import mails, misread
from tests.stories.test_brake import (
    ADA,
    ask_for_mail,
    attack,
    is_asked,
    link_in_mail,
    press,
)


@pytest.fixture
def braked(till: Till) -> Till:
    """A shop with one book, with which stolen cards are tried."""
    make.product(till.shop)
    attack(till, each=brake.LEAST)
    return till


@pytest.fixture
def buyer(braked: Till) -> Visitor:
    """Somebody honest."""
    return braked.visitor("203.0.113.9")


def go_on(visitor: Visitor, link: str) -> TestResponse:
    """Open the link of the mail, and press the button there."""
    return visitor.press(visitor.get(link), "/buy/book")


def impatient(visitor: Visitor, waiting: TestResponse) -> TestResponse:
    """Say that no mail has come."""
    return visitor.press(waiting, "/checking/")


def stuck(braked: Till) -> None:
    """Let no mail go out any more."""
    folder = braked.shop.home / "mail"
    assert not folder.exists()
    folder.write_text("a file where the folder of mails should be")


# The link


def test_a_link_is_good_for_three_payments(braked: Till, buyer: Visitor) -> None:
    ask_for_mail(buyer, press(buyer))
    link = link_in_mail(braked)
    answers = [go_on(buyer, link) for _ in range(4)]
    assert [each.status_code for each in answers] == [303, 303, 303, 200]
    assert is_asked(answers[3])


def test_to_press_twice_is_one_payment(braked: Till, buyer: Visitor) -> None:
    ask_for_mail(buyer, press(buyer))
    opened = buyer.get(link_in_mail(braked))
    places = {buyer.press(opened, "/buy/book").location for _ in range(5)}
    assert len(places) == 1
    assert rows(braked.shop)["starts"] == 2


def test_to_open_it_begins_nothing(braked: Till, buyer: Visitor) -> None:
    ask_for_mail(buyer, press(buyer))
    link = link_in_mail(braked)
    before = rows(braked.shop)
    scanner = braked.visitor("192.0.2.1")
    assert {scanner.get(link).status_code, scanner.head(link).status_code} == {200}
    assert rows(braked.shop) == before
    page = scanner.get(link)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_it_works_for_an_hour_and_for_its_product(braked: Till, buyer: Visitor) -> None:
    make.product(braked.shop, slug="other")
    attack_on(braked, "other")
    ask_for_mail(buyer, press(buyer))
    link = link_in_mail(braked)
    proof = form_of(buyer.get(link), "/buy/book").fields["proof"]
    for false in (proof, misread(proof), proof[:22] + "9", "x", ""):
        wrong = {"proof": false, "press": false or "none"}
        assert is_asked(buyer.post("/buy/other", wrong))
    braked.move(minutes=59)
    attack_on(braked, "book")
    assert go_on(buyer, link).status_code == 303
    opened = buyer.get(link)
    braked.move(minutes=1)
    assert is_asked(buyer.press(opened, "/buy/book"))
    assert buyer.get(link).status_code == 404
    assert "begin again" in words(buyer.get(link))


def attack_on(braked: Till, slug: str) -> None:
    """Try cards with one product, in one payment that was begun before."""
    name = braked.begin(braked.visitor(), slug)
    for _ in range(brake.LEAST):
        braked.stripe.bank.decline(name)


def test_links_of_an_attack_long_ago_open_nothing_in_the_next(
    braked: Till, buyer: Visitor
) -> None:
    ask_for_mail(buyer, press(buyer))
    old = link_in_mail(braked)
    braked.move(days=3)
    worker.turn(braked.shop)
    attack_on(braked, "book")
    email = "new@example.org"
    ask_for_mail(other := braked.visitor("192.0.2.1"), press(other), email)
    assert buyer.get(old).status_code == 404
    assert go_on(other, link_in_mail(braked, email)).status_code == 303


def test_whoever_waits_has_not_opened_the_mail(braked: Till, buyer: Visitor) -> None:
    waiting = ask_for_mail(buyer, press(buyer))
    token = waiting.request.path.rpartition("/")[2]
    assert buyer.get(f"/checked/{token}").status_code == 404
    assert is_asked(buyer.post("/buy/book", {"proof": token, "press": "1"}))


# Nobody is bothered


def test_an_address_gets_three_mails_an_hour(braked: Till) -> None:
    answers = []
    for number in range(5):
        stranger = braked.visitor(f"192.0.2.{number}")
        answers.append(ask_for_mail(stranger, press(stranger), "Ann@example.org"))
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    asked = [each for each in mails(braked.shop) if each.to == "Ann@example.org"]
    assert len(asked) == 3


def test_a_visitor_asks_for_ten_mails_an_hour(braked: Till, buyer: Visitor) -> None:
    asked = press(buyer)
    codes = [
        ask_for_mail(buyer, asked, f"r{number}@example.org").status_code
        for number in range(11)
    ]
    assert codes == [200] * 10 + [429]


def test_no_more_mails_go_out_than_some(braked: Till) -> None:
    mailed(braked, checks.MOST_MAILS - 1)
    visitors = [braked.visitor(f"192.0.2.{number}") for number in range(3)]
    waiting = [
        ask_for_mail(visitor, press(visitor), f"r{number}@example.org")
        for number, visitor in enumerate(visitors)
    ]
    sent = {each.to for each in mails(braked.shop)}
    assert "r0@example.org" in sent
    assert sent.isdisjoint({"r1@example.org", "r2@example.org"})
    braked.move(minutes=1)
    assert "Thank you" in words(visitors[2].go_on(impatient(visitors[2], waiting[2])))


def test_a_second_mail_is_for_hours_in_which_few_are_wanted(
    braked: Till, buyer: Visitor
) -> None:
    ask_for_mail(buyer, press(buyer), "slip@example.org")
    mailed(braked, checks.MOST_MAILS // 2 - 2)
    ask_for_mail(buyer, press(buyer), "second@example.org")
    mailed(braked, 1)
    ask_for_mail(buyer, press(buyer), "third@example.org")
    other = braked.visitor("192.0.2.1")
    ask_for_mail(other, press(other), "other@example.org")
    sent = {each.to for each in mails(braked.shop)}
    assert sent >= {"slip@example.org", "second@example.org", "other@example.org"}
    assert "third@example.org" not in sent


def mailed(braked: Till, count: int) -> None:
    """Write down that so many links have been mailed just now."""
    now = braked.shop.now()
    row = {"topic": "mail.check", "recipient": ADA, "payload": {}, "tries": 1}
    times = {"created_at": now, "next_at": now, "sent_at": now}
    row |= {"state": OutboxState.SENT, **times}
    with braked.shop.transaction() as session:
        rows = [row | {"dedupe": f"mailed:{count}:{each}"} for each in range(count)]
        session.execute(insert(OutboxItem), rows)


def test_no_mail_is_sent_where_none_is_needed(till: Till) -> None:
    make.product(till.shop)
    buyer = till.visitor()
    page = buyer.post("/check/book", {"email": ADA, "coupon": "x"})
    assert form_of(page, "/buy/book").fields["email"] == ADA
    assert rows(till.shop)["outbox"] == 0
    assert buyer.post("/check/none", {"email": ADA}).status_code == 404


def test_no_other_site_can_ask_for_it(braked: Till) -> None:
    client = braked.app.test_client()
    answer = client.post(
        "/check/book", data={"email": ADA}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_slip_in_the_address_is_said(braked: Till, buyer: Visitor) -> None:
    again = ask_for_mail(buyer, press(buyer), "ada")
    assert again.status_code == 422
    assert 'id="email-error"' in again.get_data(as_text=True)
    waiting = ask_for_mail(buyer, again, "ada@gmial.com")
    assert "Did you mean ada@gmail.com" in words(waiting)


# No mail comes


def test_when_no_mail_goes_out_a_minute_is_enough(braked: Till, buyer: Visitor) -> None:
    stuck(braked)
    waiting = ask_for_mail(buyer, press(buyer))
    worker.turn(braked.shop)
    assert "not there yet" in words(impatient(buyer, waiting))
    braked.move(minutes=1)
    opened = buyer.go_on(impatient(buyer, waiting))
    assert "Thank you" in words(opened)
    assert buyer.press(opened, "/buy/book").status_code == 303


def test_a_minute_is_not_enough_when_other_mails_go_out(
    braked: Till, buyer: Visitor
) -> None:
    waiting = ask_for_mail(buyer, press(buyer), "nobody@nowhere.example")
    with braked.shop.transaction() as session:  # their server is never there
        leased = outbox.claim(session, braked.shop.now())
        for item in leased:
            if item.topic == "mail.check":
                outbox.later(session, item, "450 4.4.1", braked.shop.now())
            else:
                outbox.done(session, item, braked.shop.now())
    braked.move(minutes=1)
    page = impatient(buyer, waiting)
    assert "not there yet" in words(page)
    assert rows(braked.shop)["starts"] == 1


def test_who_has_the_mail_is_told_so(braked: Till, buyer: Visitor) -> None:
    waiting = ask_for_mail(buyer, press(buyer))
    link_in_mail(braked)
    braked.move(minutes=10)
    assert "Look among the spam" in words(impatient(buyer, waiting))


def test_an_address_that_nobody_has_is_said(braked: Till, buyer: Visitor) -> None:
    waiting = ask_for_mail(buyer, press(buyer), "gone@example.org")
    with braked.shop.transaction() as session:
        for item in outbox.claim(session, braked.shop.now()):
            outbox.park(session, item, "550 5.1.1")
        assert outbox.newest(session, OutboxState.DEAD)
    braked.move(minutes=5)
    page = impatient(buyer, waiting)
    assert "No mail can be brought to gone@example.org" in words(page)
    elsewhere = buyer.press_and_follow(page, "/check/", {"email": ADA})
    assert ADA in words(elsewhere)
    assert go_on(buyer, link_in_mail(braked)).status_code == 303


def test_where_mails_reach_nobody_patience_is_all(braked: Till) -> None:
    shop = in_public(braked)
    buyer = Visitor(shop, app=create_app(shop), address="203.0.113.9")
    before = rows(shop)["outbox"]
    waiting = ask_for_mail(buyer, press(buyer))
    assert rows(shop)["outbox"] == before
    assert "wait for a minute" in words(waiting)
    assert "not over yet" in words(impatient(buyer, waiting))
    braked.move(minutes=1)
    assert "Thank you" in words(buyer.go_on(impatient(buyer, waiting)))


def in_public(braked: Till) -> Shop:
    """The same shop at a public address; its mails still go into a folder."""
    shop = braked.shop
    public = shop.settings.shop.model_copy(update={"url": "https://shop.example"})
    settings = shop.settings.model_copy(update={"shop": public})
    return dataclasses.replace(shop, settings=settings)


def test_in_a_minute_six_go_on_and_the_next_after_them(braked: Till) -> None:
    stuck(braked)

    def waits(number: int) -> Callable[[], bool]:
        visitor = braked.visitor(f"192.0.{number}.1")
        page = ask_for_mail(visitor, press(visitor), f"r{number}@example.org")
        return lambda: "Thank you" in words(visitor.go_on(impatient(visitor, page)))

    crowd = [waits(number) for number in range(13)]
    braked.move(minutes=1)
    assert [each() for each in crowd] == [True] * 6 + [False] * 7
    braked.move(minutes=1)
    assert [each() for each in crowd] == [True] * 12 + [False]
