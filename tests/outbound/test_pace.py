"""How fast a mail to everyone goes and how long it still takes, as the status says."""

import pytest

from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending
from handsel.outbound import recipients
from handsel.outbound.recipients import Sent
from handsel.shop import Shop
from tests.faults.test_broadcast_kill import many_buyers
from tests.ground.shops import Clock
from tests.stories.test_release import edition

BUYERS = 30


def begun(shop: Shop, rate: str | None = None) -> int:
    """A mail to thirty buyers, which has begun."""
    many_buyers(shop, BUYERS)
    wanted = edition(shop, sending=Sending(rate=rate))
    made = releasing.publish(shop, wanted, mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    return made.campaign_id


def send(shop: Shop, clock: Clock, campaign: int, count: int, *, every: float) -> None:
    """Send so many, one after the other, with so many seconds between."""
    for _ in range(count):
        clock.move(seconds=every)
        with shop.transaction() as session:
            (one,) = recipients.claim(session, campaign, shop.now(), 1)
        with shop.transaction() as session:
            recipients.done(session.connection(), [Sent(one.id, shop.now())])


def pace(shop: Shop, campaign: int) -> tuple[float | None, float | None]:
    """Mails a second, and the seconds left."""
    found = campaigning.facts(shop, campaign)
    return found["rate"], found["seconds_left"]


def test_nothing_is_known_before_the_first_mail(shop: Shop) -> None:
    assert pace(shop, begun(shop)) == (None, None)


def test_it_is_what_all_senders_together_sent_in_the_last_minute(
    shop: Shop, clock: Clock
) -> None:
    campaign = begun(shop)
    send(shop, clock, campaign, 5, every=120)
    assert pace(shop, campaign)[0] == pytest.approx(1 / 60, rel=0.01)
    for _ in range(5):  # two senders
        send(shop, clock, campaign, 1, every=6)
        send(shop, clock, campaign, 1, every=0)

    rate, left = pace(shop, campaign)

    assert rate == pytest.approx(11 / 60, rel=0.01)
    assert left == pytest.approx(15 / (11 / 60), abs=1)


def test_right_after_the_beginning_it_counts_from_there(
    shop: Shop, clock: Clock
) -> None:
    campaign = begun(shop)
    send(shop, clock, campaign, 10, every=0.5)

    assert pace(shop, campaign) == (2, 10)


def test_a_paused_one_does_not_move_and_its_rest_does_not_count(
    shop: Shop, clock: Clock
) -> None:
    campaign = begun(shop)
    send(shop, clock, campaign, 10, every=1)
    campaigning.pause(shop, campaign)
    assert pace(shop, campaign) == (None, None)

    clock.move(seconds=30)
    campaigning.resume(shop, campaign)
    assert pace(shop, campaign) == (None, None)
    send(shop, clock, campaign, 10, every=1)

    assert pace(shop, campaign) == (1, 10)


def test_a_limit_tells_the_time_before_anything_was_sent(shop: Shop) -> None:
    assert pace(shop, begun(shop, "5/s")) == (None, 6)


def test_a_burst_at_the_beginning_is_not_taken_for_more_than_the_limit(
    shop: Shop, clock: Clock
) -> None:
    campaign = begun(shop, "5/s")
    send(shop, clock, campaign, 5, every=0)
    clock.move(seconds=0.1)

    assert pace(shop, campaign) == (5, 5)


def test_a_limit_below_one_a_minute_is_seen_too(shop: Shop, clock: Clock) -> None:
    campaign = begun(shop, "10/h")
    send(shop, clock, campaign, 10, every=360)

    rate, left = pace(shop, campaign)

    assert rate == pytest.approx(10 / 3600, rel=0.01)
    assert left == pytest.approx(20 * 360, rel=0.01)


def test_who_waits_for_another_try_is_waited_for(shop: Shop, clock: Clock) -> None:
    campaign = begun(shop)
    with shop.transaction() as session:
        (one,) = recipients.claim(session, campaign, shop.now(), 1)
        recipients.later(session, one, "452 mailbox full", shop.now())
    send(shop, clock, campaign, 29, every=0.5)

    rate, left = pace(shop, campaign)

    assert rate == pytest.approx(2)
    assert left == pytest.approx(30 - 29 * 0.5, abs=1)
