"""A new edition, and the mail that brings it to everyone who bought."""

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.models import Campaign
from handsel.models.words import CampaignState, StopReason
from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending, Wanted
from handsel.ops.verify import verify
from handsel.outbound import broadcast, letters, suppressions
from handsel.outbound.transports.folder import StoredMail, read_folder
from handsel.sales import catalogue
from handsel.sales.releases import NewRelease
from handsel.shop import Shop
from tests import make
from tests.faults.storms import at_once
from tests.ground.shops import Clock
from tests.ground.till import Till
from tests.ground.visitor import Visitor, forms_of, words
from tests.ground.waiting import wait_until
from tests.ops.keeping import refund
from tests.stories.buyers import buy, download, mails

OLD = {"book.epub": b"epub one " * 900, "book.pdf": b"pdf one " * 900}
NEW_PDF = b"pdf two " * 900


def edition(
    shop: Shop,
    version: str = "1.1",
    *,
    files: dict[str, bytes] | None = None,
    replace: bool = False,
    sending: Sending | None = None,
) -> Wanted:
    """What a seller asks of a new edition of the book; by default of its PDF alone."""
    new = files or {"book-new.pdf": NEW_PDF + version.encode()}
    folder = shop.home / "editions" / version
    paths = [make.book_file(folder, name, content) for name, content in new.items()]
    notes = f"Two *mistakes* mended in {version}."
    return Wanted(
        "book", paths, NewRelease(version, notes, replace), sending or Sending()
    )


def release(shop: Shop, wanted: Wanted) -> int:
    """Publish an edition and send its mail to the end; give the campaign's id."""
    made = releasing.publish(shop, wanted, mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    send(shop, made.campaign_id)
    return made.campaign_id


def send(shop: Shop, campaign_id: int) -> None:
    """Send what is due of a campaign."""
    broadcast.send(shop.mailroom(), campaign_id, threading.Event())


def news(shop: Shop) -> list[StoredMail]:
    """The mails about new editions, in the order of their addresses."""
    found = [m for m in read_folder(shop.home / "mail") if "is here" in m.subject]
    return sorted(found, key=lambda mail: mail.to)


def link(mail: StoredMail) -> str:
    """The link to the purchase in a mail."""
    (found,) = re.findall(r"http\S+(/d/\w+)", mail.text)
    return str(found)


def leave(mail: StoredMail) -> str:
    """The link to no more such mails."""
    (found,) = re.findall(r"http\S+(/u/\w+)", mail.text)
    return str(found)


def untrue(shop: Shop) -> list[str]:
    """What `handsel verify` finds wrong."""
    found = verify(shop.database, shop.storage, shop.now())
    return [f"{each.id}: {each.detail}" for each in found if not each.ok]


def test_every_buyer_gets_the_new_edition_by_a_link_of_their_own(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, files=OLD)
    for name in ("ann", "bob", "cid"):
        buy(visitor.device(), email=f"{name}@example.com")

    facts = campaigning.facts(shop, release(shop, edition(shop)))

    assert (facts["state"], facts["sent"], facts["remaining"]) == ("finished", 3, 0)
    sent = news(shop)
    assert [mail.to for mail in sent] == [
        "ann@example.com",
        "bob@example.com",
        "cid@example.com",
    ]
    assert len({link(mail) for mail in sent}) == 3
    assert "Two *mistakes* mended in 1.1." in sent[0].text
    assert "<em>mistakes</em>" in sent[0].html
    page = visitor.device().get(link(sent[1]))
    assert "bob@example.com" in words(page)
    assert untrue(shop) == []


def test_the_page_shows_what_is_new_and_keeps_what_was_there(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, files=OLD)
    page = buy(visitor)
    assert download(visitor.device(), page, 2).data == OLD["book.pdf"]
    release(shop, edition(shop))

    page = visitor.get(page.request.path)

    said = words(page)
    assert "New in 1.1" in said
    assert "Two mistakes mended in 1.1." in said
    assert re.search(r"PDF book-new\.pdf New in 1\.1 .*5 of 5 left", said)
    assert re.search(r"EPUB book\.epub (?!New)", said)
    assert said.index("book.epub") < said.index("book-new.pdf")  # as they were
    assert re.search(
        r"Older versions .*book\.pdf .*version 1\.0 &middot; ?4 of 5 left", said
    )
    assert download(visitor, page, 3).data == NEW_PDF + b"1.1"
    assert download(visitor, page, 2).data == OLD["book.pdf"]


def test_who_buys_now_gets_the_new_edition_and_not_the_old_file(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, files=OLD)
    releasing.publish(shop, edition(shop), mail=False)

    page = buy(visitor)

    said = words(page)
    assert "book-new.pdf" in said
    assert "book.epub" in said
    assert "book.pdf" not in said
    assert "New in" not in said
    form = next(form for form in forms_of(page) if form.action.endswith("/1"))
    assert visitor.post(f"{page.request.path}/2", form.fields).status_code == 404
    (receipt,) = mails(shop)
    assert "book-new.pdf" in receipt.text
    assert "book.pdf" not in receipt.text
    assert "book-new.pdf" in words(visitor.get("/p/book"))


def test_replace_leaves_only_the_files_that_are_named(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, files=OLD)
    before = buy(visitor.device())
    releasing.publish(shop, edition(shop, replace=True), mail=False)

    assert "book.epub" not in words(buy(visitor))
    assert "book.epub" in words(visitor.get(before.request.path))


def test_one_address_gets_one_mail_however_it_is_written(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    for email in ("ann@example.com", "Ann@Example.com", "ann@example.com"):
        buy(visitor.device(), email=email)

    release(shop, edition(shop))

    (mail,) = news(shop)
    assert "H-1003" in words(visitor.get(link(mail)))  # the newest purchase


def test_who_gets_none_is_counted_with_the_reason(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    for name in ("ann", "bob", "cid", "dan", "eve"):
        buy(visitor.device(), email=f"{name}@example.com")
    refund(shop, "H-1002", 1500)
    with shop.transaction() as session:
        for name, reason in (
            ("cid", StopReason.UNSUBSCRIBED),
            ("dan", StopReason.BOUNCED),
            ("eve", StopReason.COMPLAINED),
        ):
            suppressions.stop(session, f"{name}@EXAMPLE.com", reason, shop.now())
    plan = releasing.plan(shop, edition(shop))

    facts = campaigning.facts(shop, release(shop, edition(shop)))

    why = {"refunded": 1, "unsubscribed": 1, "bounced": 1, "complained": 1}
    assert (plan.reach.recipients, plan.reach.left_out) == (1, why)
    assert facts["skipped_why"] == why
    assert [mail.to for mail in news(shop)] == ["ann@example.com"]


def test_refunded_or_left_between_the_counting_and_the_mail_gets_none(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    for name in ("ann", "bob", "cid"):
        buy(visitor.device(), email=f"{name}@example.com")
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    refund(shop, "H-1001", 1500)
    with shop.transaction() as session:
        left = StopReason.UNSUBSCRIBED
        suppressions.stop(session, "bob@example.com", left, shop.now())

    send(shop, made.campaign_id)

    assert [mail.to for mail in news(shop)] == ["cid@example.com"]
    facts = campaigning.facts(shop, made.campaign_id)
    assert (facts["state"], facts["sent"], facts["skipped"]) == ("finished", 1, 2)


def test_the_same_command_again_mails_nobody_twice(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)

    first = release(shop, edition(shop))
    again = release(shop, edition(shop))

    assert first == again
    assert len(news(shop)) == 1


def test_a_version_that_is_there_with_other_files_is_refused(shop: Shop) -> None:
    make.product(shop, files=OLD)
    releasing.publish(shop, edition(shop), mail=False)

    with pytest.raises(ConflictError, match=r"a version 1\.1 of book already"):
        releasing.plan(shop, edition(shop, files={"book-new.pdf": b"other"}))


def test_a_mail_after_all_reaches_those_who_bought_before(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor.device(), email="ann@example.com")
    releasing.publish(shop, edition(shop), mail=False)
    buy(visitor.device(), email="bob@example.com")

    facts = campaigning.facts(shop, release(shop, edition(shop)))

    assert [mail.to for mail in news(shop)] == ["ann@example.com"]
    assert facts["skipped_why"] == {"has it already": 1}


def test_only_some_can_be_asked_for(shop: Shop, visitor: Visitor, clock: Clock) -> None:
    make.product(shop)
    buy(visitor.device(), email="ann@example.com")
    releasing.publish(shop, edition(shop, "1.1"), mail=False)
    clock.move(days=10)
    buy(visitor.device(), email="bob@example.com")

    def reached(*to: str) -> int:
        plan = campaigning.plan_broadcast(shop, "book", "Hi", "Hi.", Sending(to))
        return plan.reach.recipients

    assert reached() == 2
    assert reached("since:2026-12-01") == 1
    assert reached("below:1.1") == 1
    assert reached("since:2026-12-01", "below:1.1") == 0
    for wrong in ("since:soon", "since:", "country", "below:1.1 since:2026-12-01"):
        with pytest.raises((BadInputError, NotFoundError)):
            reached(wrong)
    with pytest.raises(BadInputError):
        reached("below:1.1", "below:1.1")
    with pytest.raises(NotFoundError):
        reached("below:9")


def test_a_mail_that_was_paused_or_cancelled_stands_still_and_goes_on_when_asked(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)

    campaigning.pause(shop, made.campaign_id)
    send(shop, made.campaign_id)
    assert news(shop) == []
    campaigning.resume(shop, made.campaign_id)
    send(shop, made.campaign_id)
    assert len(news(shop)) == 1

    other = releasing.publish(shop, edition(shop, "1.2"), mail=True)
    assert other.campaign_id
    campaigning.begin(shop, other.campaign_id)
    campaigning.cancel(shop, other.campaign_id)
    send(shop, other.campaign_id)
    assert release(shop, edition(shop, "1.2")) == other.campaign_id
    assert len(news(shop)) == 1  # the same command again does not undo it
    campaigning.resume(shop, other.campaign_id)
    send(shop, other.campaign_id)
    assert len(news(shop)) == 2
    assert untrue(shop) == []
    with pytest.raises(ConflictError):
        campaigning.pause(shop, made.campaign_id)


def test_a_mail_for_later_begins_at_its_time_with_who_has_bought_by_then(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor.device(), email="ann@example.com")
    at = shop.now() + timedelta(hours=3)
    words = ("Reading", "I read on **Sunday**.", Sending(at=at))
    number = campaigning.create_broadcast(shop, "book", *words)

    assert broadcast.begin_due(shop.mailroom()) == []
    assert campaigning.facts(shop, number)["state"] == "scheduled"
    buy(visitor.device(), email="bob@example.com")
    clock.move(hours=3)
    assert broadcast.begin_due(shop.mailroom()) == [number]
    send(shop, number)

    found = [m for m in read_folder(shop.home / "mail") if "Reading" in m.subject]
    assert {mail.to for mail in found} == {"ann@example.com", "bob@example.com"}
    assert "<strong>Sunday</strong>" in found[0].html
    with pytest.raises(ConflictError, match="was finished"):
        campaigning.create_broadcast(shop, "book", *words)


def test_a_rate_is_kept_by_all_senders_together(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    for number in range(7):
        buy(visitor.device(), email=f"reader{number}@example.com")
    made = releasing.publish(
        shop, edition(shop, sending=Sending(rate="3/s")), mail=True
    )
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    stop = threading.Event()
    work = threading.Thread(
        target=broadcast.send, args=(shop.mailroom(), made.campaign_id, stop)
    )
    work.start()  # its clock stands still
    wait_until(lambda: len(news(shop)) == 3)
    wait_until(lambda: campaigning.facts(shop, made.campaign_id)["sent"] == 3)  # type: ignore[arg-type]  # it is set
    clock.move(seconds=1)
    wait_until(lambda: len(news(shop)) == 6)
    clock.move(seconds=1)
    work.join(20)
    assert not work.is_alive()
    assert len(news(shop)) == 7


def test_looking_at_the_link_changes_nothing_and_one_press_ends_the_mails(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    for name in ("ann", "bob"):
        buy(visitor.device(), email=f"{name}@example.com")
    release(shop, edition(shop))
    ann, bob = (leave(mail) for mail in news(shop))
    stranger = visitor.device()

    for _ in range(10):
        assert stranger.get(ann).status_code == stranger.head(ann).status_code == 200
    assert stopped(shop) == set()
    clock.move(days=800)
    for _ in range(2):  # as mail programs do it: no cookie, no page before, no redirect
        answer = stranger.post(ann, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert stopped(shop) == {"ann@example.com"}
    crossed = f"{ann[:25]}{bob[25:]}"
    assert stranger.post(crossed).status_code == 404

    page = stranger.get(ann)
    assert "No mails come to you" in words(page)
    back = stranger.press(page, "/u/", {"mails": "again"})
    assert "News comes to you again" in words(back)
    assert stopped(shop) == set()


def stopped(shop: Shop) -> set[str]:
    """Who gets no mails to many."""
    with shop.reading() as session:
        return {each.email_key for each in suppressions.newest(session)}


def test_receipts_go_to_those_who_left_and_say_nothing_of_leaving(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    with shop.transaction() as session:
        left = StopReason.UNSUBSCRIBED
        suppressions.stop(session, "reader@example.com", left, shop.now())

    buy(visitor)

    (receipt,) = mails(shop)
    raw = Path(receipt.path).read_bytes()
    assert b"List-Unsubscribe" not in raw
    assert b"/u/" not in raw


def test_what_is_sent_to_many_says_so_in_its_head(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    buy(visitor)
    release(shop, edition(shop))

    (mail,) = news(shop)
    head = Path(mail.path).read_bytes().partition(b"\r\n\r\n")[0].decode()
    assert f"List-Unsubscribe: <{shop.settings.public_url}{leave(mail)}>" in head
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head
    assert "Precedence: bulk\r\n" in head
    assert "Auto-Submitted: no\r\n" in head


def test_a_template_that_is_broken_pauses_the_mail_and_loses_nobody(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    own = shop.home / "templates" / "mail"
    own.mkdir(parents=True)
    (own / "release.jinja").write_text("{% block subject %}{{ nothing }}{% endblock %}")
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)

    send(shop, made.campaign_id)
    facts = campaigning.facts(shop, made.campaign_id)
    assert facts["state"] == "paused"
    assert "nothing" in facts["pause_reason"]
    (own / "release.jinja").unlink()
    letters.environment.cache_clear()
    campaigning.resume(shop, made.campaign_id)
    send(shop, made.campaign_id)
    assert len(news(shop)) == 1
    with shop.reading() as session:
        campaign = session.get_one(Campaign, made.campaign_id)
    assert campaign.state is CampaignState.FINISHED


def test_buyers_of_one_country_can_be_asked_for(till: Till) -> None:
    make.product(till.shop)
    for name, country in (("ann", "DE"), ("bob", "AT"), ("cid", None)):
        session = till.begin(till.visitor())
        till.stripe.bank.pay(session, email=f"{name}@example.com", country=country)
        till.come_back(till.visitor(), session)

    number = campaigning.create_broadcast(
        till.shop, "book", "Hallo", "Hallo.", Sending(["country:de"])
    )
    campaigning.begin(till.shop, number)
    send(till.shop, number)

    found = [m for m in read_folder(till.shop.home / "mail") if "Hallo" in m.subject]
    assert [mail.to for mail in found] == ["ann@example.com"]
    with pytest.raises(BadInputError, match="not a country"):
        campaigning.plan_broadcast(
            till.shop, "book", "Hi", "Hi.", Sending(["country:Germany"])
        )


def test_two_commands_at_one_moment_are_one_edition_and_one_mail(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    wanted = edition(shop)
    words = ("Reading", "On Sunday.", Sending())

    made = at_once(*4 * [lambda: releasing.publish(shop, wanted, mail=True)])
    told = at_once(*4 * [lambda: campaigning.create_broadcast(shop, "book", *words)])

    assert len(set(made)) == len(set(told)) == 1
    with shop.reading() as session:
        product = catalogue.get(session, "book")
    assert [release.version for release in product.releases] == ["1.0", "1.1"]
