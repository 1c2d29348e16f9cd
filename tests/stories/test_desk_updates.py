"""Updates at the desk: written, looked at, tried, sent once, watched and steered."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from werkzeug.test import TestResponse

from handsel.models import Campaign, Recipient
from handsel.models.words import CampaignState, RecipientState, StopReason
from handsel.ops import releasing
from handsel.ops.releasing import Wanted
from handsel.outbound import broadcast, campaigns, suppressions
from handsel.outbound.transports.folder import StoredMail, read_folder
from handsel.sales.releases import NewRelease
from handsel.shop import Shop
from tests import make
from tests.faults.storms import at_once
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import buy, download
from tests.stories.desks import PASSWORD, Seller
from tests.stories.visiting import Reader

NEW = b"epub two " * 900


@pytest.fixture
def sold(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold the book to Ann, Bob and Cid."""
    make.product(shop)
    for name in ("ann", "bob", "cid"):
        buy(visitor.device(), email=f"{name}@example.com")
    return shop


def put(shop: Shop, name: str = "book.epub", content: bytes = NEW) -> str:
    """Let a file have arrived from the browser; give its id."""
    upload = shop.uploads.begin(name, len(content))
    parts = iter([content, b""])
    shop.uploads.append(upload, 0, lambda _: next(parts))
    shop.uploads.seal(upload)
    return upload.id


def draft(seller: Seller, kind: str = "words") -> TestResponse:
    """Begin to write about the book."""
    page = seller.get("/admin/updates/new")
    return seller.do(page, "/updates/new", {"product": "book", "kind": kind})


def write(seller: Seller, page: TestResponse, **typed: str) -> TestResponse:
    """Type into a draft, and press the button that shows it."""
    fields = {"go": "look", **typed}
    return seller.press_and_follow(page, page.request.path, fields)


def words_alone(seller: Seller) -> TestResponse:
    """Write a mail of words; give the page that shows it."""
    typed = {"subject": "A reading in June", "text": "Come *all*. [Map](/p/book)"}
    return write(seller, draft(seller), **typed)


def edition(shop: Shop, seller: Seller, version: str = "1.1") -> TestResponse:
    """Write about a new edition with one new file; give the page that shows it."""
    page = draft(seller, "edition")
    number = put(shop, content=NEW + version.encode())
    typed = {"version": version, "text": "Mended.", "upload": number}
    return write(seller, page, **typed)


def press_send(seller: Seller, page: TestResponse) -> TestResponse:
    """Press the button that sends."""
    return seller.do(page, "/send")


def out(shop: Shop) -> list[StoredMail]:
    """Let the worker send, and give the mails to everyone, by address."""
    with shop.reading() as session:
        due = [each.id for each in campaigns.due(session, shop.now())]
    for campaign_id in due:
        broadcast.send(shop.mailroom(), campaign_id, threading.Event())
    found = [
        mail
        for mail in read_folder(shop.home / "mail")
        if "/u/" in mail.text and mail.to != "ada@example.com"
    ]
    return sorted(found, key=lambda mail: mail.to)


def state(shop: Shop) -> CampaignState:
    """The state of the only campaign."""
    with shop.reading() as session:
        return session.query(Campaign).one().state


def test_words_are_written_looked_at_and_sent_to_everyone(
    sold: Shop, seller: Seller
) -> None:
    assert "Nobody was written to yet" in words(seller.get("/admin/updates"))
    page = words_alone(seller)
    assert "Subject A reading in June" in words(page)
    assert "Come *all*." in words(page)
    assert "Send to 3 buyers" in words(page)
    framed = seller.get(page.request.path.replace("preview", "html"))
    assert "<em>all</em>" in framed.text
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert sold.settings.public_url + "/p/book" in framed.text

    shown = press_send(seller, page)

    assert "Running" in words(shown)
    assert "0 of 3" in words(shown)
    assert [mail.to[:3] for mail in out(sold)] == ["ann", "bob", "cid"]
    done = seller.get(shown.request.path)
    assert "Finished" in words(done)
    assert "3 of 3" in words(done)
    listed = words(seller.get("/admin/updates"))
    assert "A reading in June The Book finished 3 of 3" in listed
    assert "Drafts" not in listed
    log = words(seller.get("/admin/audit"))
    assert "Sent an update" in log
    assert "Began a draft" in log


def test_an_edition_comes_out_with_its_mail(sold: Shop, seller: Seller) -> None:
    page = edition(sold, seller)
    assert "New: book.epub" in words(page)
    assert "The new files are there at once" in words(page)

    shown = press_send(seller, page)

    assert "The Book 1.1" in words(shown)
    sent = out(sold)
    assert len(sent) == 3
    assert "1.1" in sent[0].subject
    link = sent[0].text.partition("/d/")[2].split()[0]
    fresh = Reader(sold)
    opened = fresh.get(f"/d/{link}")
    assert download(fresh, opened, 2).data == NEW + b"1.1"
    assert list(sold.uploads.waiting()) == []

    fresh.write()
    fresh.close()
    after = words(seller.get(shown.request.path))
    assert "Opened the link 1 " in after
    assert "Downloaded a new file 1" in after
    names = words(seller.get(f"{shown.request.path}/names?which=sent"))
    assert "ann@example.com H-1001" in names


def test_an_edition_that_is_out_is_told_of_without_its_files(
    sold: Shop, seller: Seller
) -> None:
    path = make.book_file(sold.home / "new", "book.epub", NEW)
    releasing.publish(
        sold, Wanted("book", [path], NewRelease("1.1", "Mended.")), mail=False
    )
    page = write(seller, draft(seller, "edition"), version="1.1", text="Mended.")
    assert "This version is out already" in words(page)
    press_send(seller, page)
    mails = out(sold)
    assert len(mails) == 3
    assert "book.epub" in mails[0].text


def test_what_is_missing_is_said_and_nothing_is_sent(
    sold: Shop, seller: Seller
) -> None:
    page = write(seller, draft(seller, "edition"), version="", text="New.")
    assert "No file is ticked" in words(page)
    assert "A version has 1 to 40 letters" in words(page)
    assert "Send to" not in words(page)

    empty = write(seller, draft(seller), subject="", text=" ")
    assert "A subject has 1 to 200 letters." in words(empty)
    assert "Nothing is written yet." in words(empty)
    assert "--subject" not in words(empty)

    odd = write(
        seller, draft(seller), subject="Hi", text="All",
        since="yesterday", country="Germany", rate="quick", at="2020-01-01T09:00",
    )  # fmt: skip
    for sentence in ("is not a day", "is not a country", "is not a rate", "is over"):
        assert sentence in words(odd)
    number = odd.request.path.split("/")[-2]
    forged = {"seen": "1-3-x", "form_token": seller.form_word()}
    refused = seller.post(f"/admin/updates/drafts/{number}/send", forged)
    assert refused.status_code == 409
    with sold.reading() as session:
        assert session.query(Campaign).count() == 0


def test_nothing_typed_is_lost(sold: Shop, seller: Seller, clock: Clock) -> None:
    page = draft(seller)
    path = page.request.path
    form = form_of(page, path).fields
    typed = form | {"subject": "Hello <b>", "text": "One\r\ntwo", "at": "nonsense"}

    kept = seller.post(f"{path}/keep", typed)

    assert kept.status_code == 200
    assert kept.headers["X-Revision"] == "1"
    assert "3 buyers" in words(kept)
    again = seller.device()
    again.client._cookies = seller.client._cookies
    shown = again.get(path)
    assert 'value="Hello &lt;b&gt;"' in shown.text
    assert "One\ntwo</textarea>" in shown.text
    assert 'value="nonsense"' in shown.text
    clock.move(minutes=40)
    late = seller.post(path, typed | {"subject": "Later"})
    assert late.status_code == 401
    assert seller.tab().sign_in().status_code == 303
    seller.press(late, path)
    assert 'value="Later"' in seller.get(path).text


def test_two_tabs_write_and_neither_is_lost(sold: Shop, seller: Seller) -> None:
    first = draft(seller)
    path = first.request.path
    second = seller.get(path)
    one = form_of(first, path).fields | {"subject": "One", "text": "of the first"}
    two = form_of(second, path).fields | {"subject": "Two", "text": "of the second"}

    assert seller.post(f"{path}/keep", one).status_code == 200
    clash = seller.post(f"{path}/keep", two)
    assert clash.status_code == 409
    assert "in another tab" in words(clash)
    # The first goes on: its own revision is no surprise to it, even if it is old.
    assert seller.post(f"{path}/keep", one | {"text": "more"}).status_code == 200

    told = seller.post(path, two)
    assert told.status_code == 409
    assert "of the second" in told.text
    assert 'value="One"' in seller.get(path).text
    over = seller.press_and_follow(told, path, two | _revision(told, path))
    assert 'value="Two"' in over.text


def _revision(page: TestResponse, path: str) -> dict[str, str]:
    return {"revision": form_of(page, path).fields["revision"]}


def test_pressed_twice_or_in_two_tabs_it_goes_once(sold: Shop, seller: Seller) -> None:
    page = words_alone(seller)
    tabs = [seller.tab() for _ in range(4)]
    answers = at_once(*[partial(tab.press, page, "/send") for tab in tabs])
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["Location"] for each in answers}) == 1
    assert len(out(sold)) == 3

    again = press_send(seller, page)
    assert "Finished" in words(again)
    assert len(out(sold)) == 3
    opened = seller.follow(page.request.path)
    assert opened.request.path == answers[0].headers["Location"]


def test_an_edition_pressed_twice_comes_out_once(sold: Shop, seller: Seller) -> None:
    page = edition(sold, seller)
    tabs = [seller.tab() for _ in range(3)]
    answers = at_once(*[partial(tab.press, page, "/send") for tab in tabs])
    assert 303 in {each.status_code for each in answers}
    assert press_send(seller, page).status_code == 200
    assert len(out(sold)) == 3
    with sold.reading() as session:
        assert session.query(Campaign).count() == 1


def test_what_an_interrupted_press_has_made_is_gone_on_with(
    sold: Shop, seller: Seller
) -> None:
    page = edition(sold, seller)
    # As a web process leaves it that is killed after the first of its two transactions.
    path = make.book_file(sold.home / "new", "book.epub", NEW + b"1.1")
    wanted = Wanted("book", [path], NewRelease("1.1", "Mended."))
    releasing.announce(sold, wanted)
    assert state(sold) is CampaignState.DRAFT

    told = press_send(seller, page)
    assert "Nothing was sent." in words(told)
    assert "Send to 3 buyers" in words(told)
    press_send(seller, told)

    assert len(out(sold)) == 3
    assert state(sold) is CampaignState.FINISHED


def test_a_count_that_changes_meanwhile_is_said_before_it_goes(
    sold: Shop, seller: Seller, visitor: Visitor
) -> None:
    page = words_alone(seller)
    buy(visitor.device(), email="dan@example.com")

    told = press_send(seller, page)

    assert told.status_code == 409
    assert "It goes to 4 buyers now; when you looked, they were 3." in words(told)
    assert out(sold) == []
    assert "Running" in words(press_send(seller, told))
    assert len(out(sold)) == 4


def test_what_others_change_meanwhile_is_said_before_it_goes(
    sold: Shop, seller: Seller
) -> None:
    page = edition(sold, seller, "1.2")
    path = make.book_file(sold.home / "new", "book.epub", b"in between")
    releasing.publish(sold, Wanted("book", [path], NewRelease("1.1")), mail=False)
    told = press_send(seller, page)
    assert "The files of the product have changed meanwhile." in words(told)

    fields = form_of(seller.get(told.request.path.replace("/send", "")), "/drafts/")
    typed = fields.fields | {"text": "By another", "version": "1.2"}
    seller.post(fields.action, typed)
    other = press_send(seller, told)
    assert "has written on in this update meanwhile" in words(other)
    assert out(sold) == []


def test_sending_asks_who_is_there_and_pausing_does_not(
    sold: Shop, seller: Seller, clock: Clock
) -> None:
    page = words_alone(seller)
    clock.move(minutes=11)

    asked = seller.press(page, "/send")
    assert asked.status_code == 403
    assert out(sold) == []
    sent = seller.press_and_follow(asked, "/send", {"confirm_password": PASSWORD})
    assert "Running" in words(sent)

    clock.move(minutes=11)
    paused = seller.press_and_follow(sent, "/pause")
    assert "Paused" in words(paused)
    assert seller.press(paused, "/resume").status_code == 403
    assert out(sold) == []


def test_it_is_paused_gone_on_with_cancelled_and_sent_after_all(
    sold: Shop, seller: Seller
) -> None:
    page = press_send(seller, words_alone(seller))
    paused = seller.do(page, "/pause")
    assert "Paused : You paused it." in words(paused)
    assert "Time left" not in words(paused)
    assert "Running" in words(seller.do(paused, "/resume"))
    late = seller.do(page, "/pause")
    gone = seller.do(late, "/cancel")
    assert "who has not got it does not get it" in words(gone)
    assert out(sold) == []

    refused = seller.do(late, "/cancel")
    assert refused.status_code == 409
    assert "That cannot be done any more: it is cancelled." in words(refused)

    assert "Running" in words(seller.do(gone, "/resume"))
    assert len(out(sold)) == 3
    log = words(seller.get("/admin/audit"))
    for said in ("Paused an update", "Let an update go on", "Cancelled an update"):
        assert said in log
    unknown = {"form_token": seller.form_word()}
    assert seller.post("/admin/updates/99/pause", unknown).status_code == 404
    assert seller.post("/admin/updates/1/explode", unknown).status_code == 404


def test_it_begins_at_its_time(sold: Shop, seller: Seller, clock: Clock) -> None:
    at = (clock() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    page = write(seller, draft(seller), subject="Soon", text="News.", at=at)
    assert "Send to 3 buyers, 2026-11-23 15:00 UTC" in words(page)
    shown = press_send(seller, page)
    assert "it begins 2026-11-23 15:00 UTC" in words(shown)
    broadcast.begin_due(sold.mailroom())
    assert out(sold) == []
    clock.move(hours=3, minutes=1)
    broadcast.begin_due(sold.mailroom())
    assert len(out(sold)) == 3


def test_who_gets_none_is_counted_by_reason_and_listed(
    sold: Shop, seller: Seller, visitor: Visitor
) -> None:
    with sold.transaction() as session:
        suppressions.stop(
            session, "bob@example.com", StopReason.UNSUBSCRIBED, sold.now()
        )
    page = draft(seller)
    path = page.request.path
    assert "2 buyers get it" in words(page)
    assert "1 does not: want no such mails" in words(page)
    assert "ann@example.com" in words(seller.get(f"{path}/names"))
    why = words(seller.get(f"{path}/names?why=unsubscribed"))
    assert "bob@example.com H-1002" in why
    assert "ann@example.com" not in why

    narrow = seller.post(
        f"{path}/keep",
        form_of(page, path).fields | {"since": "2027-01-01", "subject": "x"},
    )
    assert "0 buyers get it" in words(narrow)
    shown = press_send(
        seller, write(seller, seller.get(path), subject="Hi", text="All", since="")
    )
    out(sold)
    skipped = words(seller.get(f"{shown.request.path}/names?which=skipped"))
    assert "bob@example.com" in skipped
    assert "1 want no such mails" in words(seller.get(shown.request.path))


def test_long_lists_are_paged_and_everybody_is_seen_once(
    shop: Shop, seller: Seller
) -> None:
    from tests.faults.test_broadcast_kill import many_buyers

    many_buyers(shop, 120)
    page = draft(seller)
    for start in (
        f"{page.request.path}/names",
        "/admin/updates/1/names?which=waiting",
    ):
        if "which" in start:
            press_send(
                seller,
                write(seller, seller.get(page.request.path), subject="a", text="b"),
            )
        seen: list[str] = []
        url = start
        while url:
            shown = seller.get(url)
            seen += [each.split("<")[0] for each in shown.text.split("<bdi>reader")[1:]]
            more = shown.text.partition('rel="next"')[0].rpartition('<a href="')[2]
            more = more.partition('"')[0].replace("&amp;", "&")
            url = more if 'rel="next"' in shown.text else ""
        assert len(seen) == len(set(seen)) == 120


def test_a_test_mail_goes_to_one_or_says_why_not(sold: Shop, seller: Seller) -> None:
    page = words_alone(seller)
    sent = seller.do(page, "/test")
    assert "One mail is out to ada@example.com" in words(sent)
    mails = [m for m in read_folder(sold.home / "mail") if "June" in m.subject]
    assert [mail.to for mail in mails] == ["ada@example.com"]
    wrong = seller.do(page, "/test", {"to": "nobody"})
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    with sold.reading() as session:
        assert session.query(Campaign).count() == 0


def test_a_draft_is_thrown_away_and_an_empty_one_is_taken_up(
    sold: Shop, seller: Seller
) -> None:
    page = draft(seller)
    assert draft(seller).request.path == page.request.path
    gone = seller.do(page, "/discard")
    assert "The draft is gone" in words(gone)
    assert seller.get(page.request.path).status_code == 404
    kept = {"form_token": seller.form_word()}
    assert seller.post(f"{page.request.path}/keep", kept).status_code == 404
    assert seller.get("/admin/updates/99").status_code == 404
    assert seller.get("/admin/updates/drafts/99/preview").status_code == 404


def test_a_file_that_was_forgotten_meanwhile_is_named(
    sold: Shop, seller: Seller
) -> None:
    page = edition(sold, seller)
    for each in list(sold.uploads.waiting()):
        sold.uploads.remove(each.id)
    told = press_send(seller, page)
    assert "Nothing was sent." in words(told)
    assert "book.epub is not here any more" in words(told)


def test_a_template_that_is_broken_is_found_before_anybody_is_mailed(
    sold: Shop, seller: Seller
) -> None:
    place = sold.home / "templates" / "mail"
    place.mkdir(parents=True)
    (place / "broadcast.jinja").write_text(
        "{% block subject %}x{% endblock %}{% block text %}no link{% endblock %}"
        "{% block html %}no link{% endblock %}"
    )
    page = words_alone(seller)
    assert "templates/mail/broadcast.jinja" in words(page)
    assert "Send to" not in words(page)


def test_a_mail_server_that_is_away_is_said_and_what_failed_goes_again(
    sold: Shop, seller: Seller, clock: Clock
) -> None:
    shown = press_send(seller, words_alone(seller))
    path = shown.request.path
    with sold.transaction() as session:
        campaigns.note_error(session, 1, "451 greylisted <b>", sold.now(), rest=True)
        one = session.query(Recipient).first()
        assert one
        one.state, one.last_error = RecipientState.FAILED, "550 no such <i>user"
    page = seller.get(path)
    assert "The mail server takes no mails at the moment" in words(page)
    assert "451 greylisted &lt;b&gt;" in page.text
    assert "550 no such &lt;i&gt;user" in page.text
    assert "Failed 1" in words(page)

    clock.move(minutes=2)
    assert "tried again by itself" not in words(seller.get(path))
    assert "Running" in words(seller.do(seller.get(path), "/retry"))
    assert len(out(sold)) == 3
    after = words(seller.get(path))
    assert "The mail server takes no" not in after
    assert "Finished" in after


def test_a_worker_that_does_not_run_is_said(
    sold: Shop, seller: Seller, clock: Clock
) -> None:
    from handsel import worker

    worker.turn(sold)
    page = press_send(seller, words_alone(seller))
    assert "the worker of the shop does not run" not in words(page)
    clock.move(minutes=5)
    assert "the worker of the shop does not run" in words(seller.get(page.request.path))
