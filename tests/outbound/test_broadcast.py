"""Many who send one mail to everyone, and a mail server that has its moods."""

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Select, select, update

from handsel import worker
from handsel.models import Order, Recipient
from handsel.models.words import RecipientState
from handsel.ops import campaigning, giving, releasing, simulation
from handsel.ops.releasing import Sending
from handsel.outbound import broadcast, campaigns, recipients
from handsel.outbound.recipients import Sent
from handsel.outbound.transports import smtp
from handsel.outbound.transports.base import (
    DeferredMailError,
    PermanentMailError,
    TemporaryMailError,
)
from handsel.outbound.transports.folder import read_folder
from handsel.sales import catalogue
from handsel.settings import Settings
from handsel.shop import Shop
from tests import make
from tests.faults.test_broadcast_kill import many_buyers
from tests.ground.shops import Clock
from tests.ground.smtp import SmtpServer
from tests.ground.waiting import wait_until
from tests.ops.keeping import buy
from tests.outbound.test_outbox import Post, with_post
from tests.stories.test_release import edition, release, send


class Moody(Post):
    """Does to each mail what a function says."""

    def __init__(self, mood: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self.mood = mood

    def treat(self, recipient: str) -> None:
        """Ask the mood of the moment."""
        self.mood(recipient)


def away(_: str) -> None:
    """The server takes nothing at all."""
    raise TemporaryMailError("The mail server is not there.")


def full(_: str) -> None:
    """The server takes others, not this one."""
    raise DeferredMailError("452 mailbox full")


def gone(_: str) -> None:
    """This one never."""
    raise PermanentMailError("550 no such user")


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold thirty books."""
    many_buyers(shop, 30)
    return shop


def begun(shop: Shop) -> int:
    """A mail to all of them, which has begun."""
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    return made.campaign_id


def state(shop: Shop, campaign_id: int) -> str:
    """How the mail stands."""
    return str(campaigning.facts(shop, campaign_id)["state"])


def test_several_who_send_at_once_send_each_mail_once(sold: Shop) -> None:
    post = Moody()
    shop = with_post(sold, post)
    campaign = begun(shop)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(send, shop, campaign) for _ in range(3)]:
            done.result()

    assert Counter(post.taken) == Counter(
        f"reader{number}@example.com" for number in range(1, 31)
    )
    assert state(shop, campaign) == "finished"


def test_a_lease_that_ran_out_is_sent_again_under_the_same_name(
    sold: Shop, clock: Clock
) -> None:
    post = Moody()
    shop = with_post(sold, post)
    campaign = begun(shop)
    with shop.transaction() as session:  # somebody took these, and died
        taken = recipients.claim(session, campaign, shop.now(), 10)

    send(shop, campaign)
    assert len(post.taken) == 20
    assert state(shop, campaign) == "running"
    clock.move(minutes=3)
    send(shop, campaign)

    assert len(post.taken) == len(set(post.names)) == 30
    assert {one.email for one in taken} == set(post.taken[20:])
    assert state(shop, campaign) == "finished"


def test_giving_back_never_takes_a_lease_from_somebody_else(
    sold: Shop, clock: Clock
) -> None:
    campaign = begun(sold)
    with sold.transaction() as session:
        mine = recipients.claim(session, campaign, sold.now(), 10)
    clock.move(minutes=3)
    with sold.transaction() as session:
        theirs = recipients.claim(session, campaign, sold.now(), 10)

    with sold.transaction() as session:
        recipients.put_back(session, mine)
        left = recipients.claim(session, campaign, sold.now(), 30)

    assert {one.id for one in theirs} == {one.id for one in mine}
    assert not {one.id for one in left} & {one.id for one in theirs}


def test_a_server_that_is_away_gets_rest_and_then_the_seller_is_told(
    sold: Shop, clock: Clock
) -> None:
    post = Moody(away)
    shop = with_post(sold, post)
    campaign = begun(shop)

    send(shop, campaign)
    tried = len(post.tried)
    assert tried <= shop.settings.mail.connections
    send(shop, campaign)  # at once: nobody knocks
    assert len(post.tried) == tried
    for _ in range(30):
        clock.move(seconds=61)
        send(shop, campaign)

    facts = campaigning.facts(shop, campaign)
    assert facts["state"] == "paused"
    assert "The mail server is not there." in facts["pause_reason"]
    assert (facts["sent"], facts["failed"], facts["remaining"]) == (0, 0, 30)
    # What all connections run into at one moment is one error.
    most = campaigns.MOST_ERRORS * shop.settings.mail.connections
    assert campaigns.MOST_ERRORS <= len(post.tried) <= most
    while worker.turn(sold):  # its mail goes into the folder
        pass
    told = [m for m in read_folder(sold.home / "mail") if "Paused" in m.subject]
    assert len(told) == 1
    assert told[0].to == sold.settings.shop.email
    assert f"handsel release resume {campaign}" in told[0].text

    post.mood = lambda _: None
    campaigning.resume(shop, campaign)
    clock.move(hours=2)
    send(shop, campaign)
    assert Counter(post.taken) == Counter(set(post.taken))
    assert state(shop, campaign) == "finished"


def test_one_that_is_full_waits_longer_each_time_and_blocks_nobody(
    sold: Shop, clock: Clock
) -> None:
    def only_seven_is_full(recipient: str) -> None:
        if recipient == "reader7@example.com":
            full(recipient)

    post = Moody(only_seven_is_full)
    shop = with_post(sold, post)
    campaign = begun(shop)
    send(shop, campaign)
    assert len(post.taken) == 29

    tries = []
    for hour in range(80):
        before = len(post.tried)
        send(shop, campaign)
        clock.move(hours=1)
        tries += [hour] * (len(post.tried) - before)

    facts = campaigning.facts(shop, campaign)
    assert (facts["state"], facts["failed"]) == ("finished", 1)
    assert facts["failures"] == [
        {"email": "reader7@example.com", "error": "452 mailbox full"}
    ]
    gaps = [later - first for first, later in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert len(tries) == 9


def test_refused_for_good_is_listed_and_twenty_in_a_row_stop_everything(
    sold: Shop,
) -> None:
    post = Moody(gone)
    shop = with_post(sold, post)
    campaign = begun(shop)

    send(shop, campaign)

    facts = campaigning.facts(shop, campaign)
    assert facts["state"] == "paused"
    most = campaigns.MOST_ERRORS + shop.settings.mail.connections
    assert campaigns.MOST_ERRORS <= facts["failed"] < most
    assert facts["failures"][0]["error"] == "550 no such user"
    post.mood = lambda _: None
    campaigning.resume(shop, campaign)
    campaigning.retry(shop, campaign)
    send(shop, campaign)
    assert Counter(post.taken) == Counter(
        f"reader{number}@example.com" for number in range(1, 31)
    )


def test_stopping_gives_back_what_was_not_sent(sold: Shop) -> None:
    stop = threading.Event()
    post = Moody(lambda _: stop.set())
    shop = with_post(sold, post)
    campaign = begun(shop)

    broadcast.send(shop.mailroom(), campaign, stop)

    assert 1 <= len(post.taken) <= shop.settings.mail.connections
    with shop.reading() as session:
        states = Counter(session.scalars(recipients_of(campaign)))
    assert states[RecipientState.SENDING] == 0
    assert states[RecipientState.SENT] == len(post.taken)
    assert states[RecipientState.WAITING] == 30 - len(post.taken)


def recipients_of(campaign_id: int) -> Select[RecipientState]:
    """The states of everybody in a campaign."""
    return select(Recipient.state).where(Recipient.campaign_id == campaign_id)


def test_the_worker_begins_what_is_due_and_sends_it(sold: Shop, clock: Clock) -> None:
    later = Sending(at=sold.now() + timedelta(hours=1))
    number = campaigning.create_broadcast(sold, "book", "Hi", "Hello.", later)
    stop = threading.Event()
    at_work = threading.Thread(target=broadcast.run, args=(sold.mailroom(), stop))
    at_work.start()
    try:
        assert state(sold, number) == "scheduled"
        clock.move(hours=1)
        wait_until(lambda: state(sold, number) == "finished", 30)
    finally:
        stop.set()
        at_work.join()
    assert campaigning.facts(sold, number)["sent"] == 30


def test_a_customer_whose_address_was_mended_meanwhile_gets_it_there(
    sold: Shop,
) -> None:
    campaign = begun(sold)
    giving.resend(sold, "H-1003", "right@example.com")

    send(sold, campaign)

    to = [m.to for m in read_folder(sold.home / "mail") if "is here" in m.subject]
    assert len(to) == 30
    assert "right@example.com" in to
    assert "reader3@example.com" not in to


def test_who_buys_during_the_run_gets_no_mail_and_has_the_files(sold: Shop) -> None:
    campaign = begun(sold)
    buy(sold, 31)  # the thirty again, and one more

    send(sold, campaign)

    to = [m.to for m in read_folder(sold.home / "mail") if "is here" in m.subject]
    assert len(to) == 30
    assert "reader31@example.com" not in to


def test_a_product_that_is_taken_off_the_shelf_still_reaches_its_buyers(
    sold: Shop,
) -> None:
    campaign = begun(sold)
    with sold.transaction() as session:
        catalogue.show(session, "book", published=False)

    send(sold, campaign)

    assert campaigning.facts(sold, campaign)["sent"] == 30


def test_an_address_beyond_ascii_is_written_by_itself(shop: Shop) -> None:
    make.product(shop)
    simulation.buy(shop, "book", "قارئ@example.com", 1)
    release(shop, edition(shop))

    (mail,) = [m for m in read_folder(shop.home / "mail") if "is here" in m.subject]
    assert mail.to == "قارئ@example.com"
    assert "/d/" in mail.text


@pytest.mark.parametrize("step", [campaigning.pause, campaigning.cancel])
def test_pausing_and_cancelling_are_heard_in_the_middle_of_a_batch(
    step: campaigning.Step, sold: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "LOOK_SECONDS", 0)
    post = Moody()
    shop = dataclasses.replace(with_post(sold, post), settings=one_connection(sold))
    campaign = begun(shop)

    def stop_after_five(_: str) -> None:
        if len(post.tried) == 5:
            step(sold, campaign)

    post.mood = stop_after_five
    send(shop, campaign)

    assert len(post.taken) == 5
    assert state(shop, campaign) in ("paused", "cancelled")
    assert campaigning.facts(shop, campaign)["remaining"] == 25


def test_a_sender_beyond_ascii_is_written_in_ascii_on_the_wire(
    sold: Shop, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = sold.settings.mail.model_copy(
        update={
            "from_": "Ada <ada@bücher.example>",
            "host": smtp_server.host,
            "port": smtp_server.port,
            "security": "none",
        }
    )
    settings = sold.settings.model_copy(update={"mail": mail})
    transport = smtp.open_transport(settings, sold.home)
    shop = dataclasses.replace(sold, settings=settings, transport=transport)

    send(shop, begun(shop))

    senders = {letter.sender for letter in smtp_server.letters}
    assert senders == {"ada@xn--bcher-kva.example"}
    assert len(smtp_server.letters) == 30


@pytest.mark.parametrize(
    "spoiled", ["{{ link|upper }}", "", "{{ link[:40] }} {{ link[40:] }}"]
)
def test_a_template_that_spoils_the_link_stops_before_anybody_gets_it(
    spoiled: str, sold: Shop
) -> None:
    own = sold.home / "templates" / "mail"
    own.mkdir(parents=True)
    (own / "release.jinja").write_text(
        "{% block subject %}Hi{% endblock %}{% block text %}"
        + spoiled
        + "{% endblock %}{% block html %}<p>"
        + spoiled
        + "</p>{% endblock %}"
    )
    post = Moody()
    shop = with_post(sold, post)
    campaign = begun(shop)

    send(shop, campaign)

    assert post.tried == []
    facts = campaigning.facts(shop, campaign)
    assert facts["state"] == "paused"
    assert "`link`" in facts["pause_reason"]


def test_an_address_that_no_mail_can_be_written_to_blocks_nobody(sold: Shop) -> None:
    with sold.transaction() as session:
        first = update(Order).where(Order.id == 1)
        session.execute(first.values(email="ü@["))
    post = Moody()
    shop = with_post(sold, post)
    campaign = begun(shop)

    send(shop, campaign)

    facts = campaigning.facts(shop, campaign)
    assert (facts["state"], facts["sent"], facts["failed"]) == ("finished", 29, 1)


def test_an_address_corrected_to_that_of_another_buyer_gets_one_mail(
    sold: Shop,
) -> None:
    post = Moody()
    shop = with_post(sold, post)
    campaign = begun(shop)
    giving.resend(sold, "H-1003", "reader4@example.com")

    send(shop, campaign)

    assert Counter(post.taken)["reader4@example.com"] == 1
    assert len(post.taken) == 29
    assert campaigning.facts(shop, campaign)["skipped_why"] == {"same address": 1}


def test_trying_again_what_failed_is_not_lost_in_the_end_of_the_run(
    sold: Shop,
) -> None:
    def three_are_gone(recipient: str) -> None:
        if recipient in ("reader3@example.com", "reader9@example.com"):
            gone(recipient)

    post = Moody(three_are_gone)
    shop = with_post(sold, post)
    campaign = begun(shop)
    send(shop, campaign)
    for _ in range(20):
        post.mood = lambda _: None
        with ThreadPoolExecutor(2) as pool:
            tried = pool.submit(campaigning.retry, shop, campaign)
            sent = pool.submit(send, shop, campaign)
            sent.result()
            tried.exception()
        facts = campaigning.facts(shop, campaign)
        assert facts["state"] == "running" or facts["remaining"] == 0


def one_connection(shop: Shop) -> Settings:
    """The shop's settings with a single connection."""
    mail = shop.settings.mail.model_copy(update={"connections": 1})
    return shop.settings.model_copy(update={"mail": mail})


def test_who_waits_for_another_try_costs_nothing_meanwhile(
    sold: Shop, clock: Clock
) -> None:
    post = Moody(full)
    shop = dataclasses.replace(with_post(sold, post), settings=one_connection(sold))
    campaign = begun(shop)
    with shop.transaction() as session:  # all but three have had it
        rows = recipients.claim(session, campaign, shop.now(), 27)
        recipients.done(
            session.connection(), [Sent(one.id, shop.now()) for one in rows]
        )
    send(shop, campaign)
    assert len(post.tried) == 3

    assert broadcast.begin_due(shop.mailroom()) == []
    clock.move(seconds=30)
    assert broadcast.begin_due(shop.mailroom()) == [campaign]
