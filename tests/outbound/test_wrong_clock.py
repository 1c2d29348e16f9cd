"""A clock that was far ahead for a while, and is right again: everything goes on."""

import threading

import pytest

from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending
from handsel.outbound import broadcast, campaigns, outbox, recipients
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop
from tests import make
from tests.faults.test_broadcast_kill import many_buyers
from tests.ground.shops import Clock
from tests.ops.keeping import buy
from tests.stories.buyers import mails
from tests.stories.test_release import edition, news

BUYERS = 5


def begun(shop: Shop, rate: str | None = None) -> int:
    """A mail to five buyers, which has begun."""
    many_buyers(shop, BUYERS)
    wanted = edition(shop, sending=Sending(rate=rate))
    made = releasing.publish(shop, wanted, mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    return made.campaign_id


def by_the_worker(shop: Shop) -> int:
    """Let the worker begin and send what is due; how many mails there are then."""
    for campaign in broadcast.begin_due(shop.mailroom()):
        broadcast.send(shop.mailroom(), campaign, threading.Event())
    return len(news(shop))


@pytest.mark.parametrize("ahead", [1, 24 * 400])
def test_a_mail_begun_under_it_goes_out(shop: Shop, clock: Clock, ahead: int) -> None:
    clock.move(hours=ahead)
    campaign = begun(shop)
    clock.move(hours=-ahead)

    assert by_the_worker(shop) == BUYERS
    assert campaigning.facts(shop, campaign)["state"] == "finished"


def test_a_mail_whose_rate_was_counted_by_it_goes_on_at_its_rate(
    shop: Shop, clock: Clock
) -> None:
    clock.move(hours=1)
    campaign = begun(shop, rate="1/m")
    with shop.transaction() as session:
        held = campaigns.hold(session, campaign)
        assert campaigns.take_turns(session, held, 100, shop.now()) == 1
    clock.move(hours=-1)

    for expected in (1, 0, 0):  # the first at once, and no other within the minute
        with shop.transaction() as session:
            held = campaigns.hold(session, campaign)
            turns = campaigns.take_turns(session, held, 100, shop.now())
        assert turns == expected
        clock.move(seconds=20)


def test_who_was_put_off_or_leased_by_it_gets_the_mail(
    shop: Shop, clock: Clock
) -> None:
    clock.move(days=400)
    campaign = begun(shop)
    with shop.transaction() as session:
        one, _ = recipients.claim(session, campaign, shop.now(), 2)
        recipients.later(session, one, "452 mailbox full", shop.now())
    clock.move(days=-400)

    assert by_the_worker(shop) == BUYERS


def test_a_rest_that_was_begun_under_it_ends(shop: Shop, clock: Clock) -> None:
    campaign = begun(shop)
    clock.move(days=400)
    with shop.transaction() as session:
        campaigns.note_error(session, campaign, "away", shop.now(), rest=True)
    clock.move(days=-400)

    assert by_the_worker(shop) == BUYERS


def test_a_mail_for_later_still_waits_for_its_time(shop: Shop, clock: Clock) -> None:
    many_buyers(shop, BUYERS)
    at = clock.time.replace(year=clock.time.year + 1)
    words = ("Reading", "On Sunday.", Sending(at=at))
    number = campaigning.create_broadcast(shop, "book", *words)

    assert broadcast.begin_due(shop.mailroom()) == []
    assert campaigning.facts(shop, number)["state"] == "scheduled"


def test_how_fast_it_goes_is_known_again(shop: Shop, clock: Clock) -> None:
    clock.move(days=400)
    campaign = begun(shop)
    clock.move(days=-400)
    with shop.transaction() as session:
        (one,) = recipients.claim(session, campaign, shop.now(), 1)
        recipients.done(session.connection(), [recipients.Sent(one.id, shop.now())])

    assert campaigning.facts(shop, campaign)["rate"]


def test_a_receipt_that_was_leased_by_it_goes_out(shop: Shop, clock: Clock) -> None:
    make.product(shop)
    clock.move(days=400)
    buy(shop)
    with shop.transaction() as session:
        assert outbox.claim(session, shop.now())
    clock.move(days=-400)

    assert mails(shop)
    assert read_folder(shop.home / "mail")
