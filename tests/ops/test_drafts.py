"""Updates that are being written, what is known afterwards, and who is behind a number."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handsel.analytics import opened
from handsel.kit.errors import NotFoundError
from handsel.models import Allowance, Campaign, Order, Product, Recipient
from handsel.models.words import CampaignState, RecipientState
from handsel.ops import campaigning, composing, drafting
from handsel.ops.composing import ChangedMeanwhileError
from handsel.ops.drafting import Page, SentAlreadyError, WrittenElsewhereError
from handsel.outbound import afterwards, audience, broadcast, campaigns, roll
from handsel.outbound.audience import Audience
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import run
from tests.ground.shops import Clock
from tests.ops import keeping

ADA = "ada@example.com"


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold three books."""
    make.product(shop)
    keeping.buy(shop, 3)
    return shop


def written(shop: Shop, **typed: Any) -> int:
    """A draft of words, as it was typed."""
    draft_id = drafting.begin(shop, "book", ADA, edition=False)
    words = {"subject": "Hello", "text": "All of *you*."} | typed
    drafting.keep(shop, draft_id, words, Page("tab", 0), ADA)
    return draft_id


def sent(shop: Shop, draft_id: int) -> int:
    """Send a draft as it stands; give its campaign's id."""
    seen = composing.look(shop, draft_id).seen
    return composing.send(shop, draft_id, seen, lambda _: None)


def deliver(shop: Shop, campaign_id: int) -> None:
    """Send what is due of it."""
    broadcast.send(shop.mailroom(), campaign_id, threading.Event())


def test_a_draft_is_kept_as_it_was_typed(sold: Shop) -> None:
    draft_id = written(sold, subject="  Odd \0 ", nonsense="gone", at="soon")
    with sold.reading() as session:
        typed = drafting.get(session, draft_id).typed
        assert [each.id for each in drafting.listed(session)] == [draft_id]
    assert typed["subject"] == "  Odd  "
    assert typed["at"] == "soon"
    assert "nonsense" not in typed
    with pytest.raises(NotFoundError):
        composing.look(sold, 99)


def test_a_page_keeps_what_it_wrote_and_is_told_of_others(sold: Shop) -> None:
    draft_id = written(sold)
    other = {"subject": "Other", "text": "x"}
    with pytest.raises(WrittenElsewhereError) as told:
        drafting.keep(sold, draft_id, other, Page("late", 0), ADA)
    assert told.value.revision == 1
    # The answer to its first was lost on the way: what it wrote itself is no surprise.
    assert drafting.keep(sold, draft_id, {"subject": "b"}, Page("tab", 0), ADA) == 2
    assert drafting.keep(sold, draft_id, {"subject": "b"}, Page("late", 0), ADA) == 2
    over = Page("late", 0, over=True)
    assert drafting.keep(sold, draft_id, other, over, ADA) == 3


def test_a_draft_that_was_sent_takes_no_more_words(sold: Shop) -> None:
    draft_id = written(sold)
    campaign_id = sent(sold, draft_id)
    assert composing.send(sold, draft_id, "whatever", lambda _: None) == campaign_id
    with pytest.raises(SentAlreadyError) as told:
        drafting.keep(sold, draft_id, {"subject": "b"}, Page("tab", 1), ADA)
    assert told.value.campaign_id == campaign_id
    drafting.throw_away(sold, draft_id)
    with sold.reading() as session:
        assert drafting.get(session, draft_id).campaign_id == campaign_id
        assert drafting.listed(session) == []


def test_nothing_goes_that_nobody_has_looked_at(sold: Shop) -> None:
    draft_id = written(sold)
    for seen in ("", "1", "1-3", "1-3-0", "0-3-x", "x-y-z", "--", "1-99999999999999-x"):
        with pytest.raises(ChangedMeanwhileError):
            composing.send(sold, draft_id, seen, lambda _: None)
    with sold.reading() as session:
        assert session.query(Campaign).count() == 0


def test_trouble_with_the_mail_server_is_told_until_it_is_over(
    sold: Shop, clock: Clock
) -> None:
    campaign_id = sent(sold, written(sold))
    with sold.transaction() as session:
        campaigns.note_error(session, campaign_id, "421 busy", clock(), rest=True)
    trouble = campaigning.facts(sold, campaign_id)["trouble"]
    assert trouble["error"] == "421 busy"
    assert trouble["again_at"] > clock().isoformat()
    said = run(sold, "release", "status", "book").stdout
    assert "The mail server takes none now: 421 busy" in said

    clock.move(minutes=2)
    assert campaigning.facts(sold, campaign_id)["trouble"]["again_at"] is None
    deliver(sold, campaign_id)

    assert campaigning.facts(sold, campaign_id)["trouble"] is None
    assert "0 have opened the link." in run(sold, "release", "status", "book").stdout


def test_who_opens_the_page_after_the_mail_is_counted_once(
    sold: Shop, clock: Clock
) -> None:
    with sold.transaction() as session:
        assert opened.note(session, 1, clock()) == 0
    campaign_id = sent(sold, written(sold))
    deliver(sold, campaign_id)
    with sold.transaction() as session:
        assert opened.note(session, 1, clock() - timedelta(hours=1)) == 0
        assert opened.note(session, 1, clock()) == 1
        assert opened.note(session, 1, clock()) == 0
        assert opened.note(session, 2, clock()) == 1
    with sold.reading() as session:
        assert afterwards.opened(session, campaign_id) == 2
        assert afterwards.downloaded(session, session.get_one(Campaign, 1)) is None
    assert campaigning.facts(sold, campaign_id)["opened"] == 2


def test_the_names_behind_a_number_are_listed(sold: Shop) -> None:
    draft_id = written(sold)
    found = composing.look(sold, draft_id)
    assert found.wanted
    with sold.reading() as session:
        first = roll.asked(session, found.wanted, "", most=2)
        rest = roll.asked(session, found.wanted, "", after=first[-1].mark, most=2)
        assert roll.asked(session, found.wanted, "refunded", most=2) == []
    assert [each.number for each in (*first, *rest)] == ["H-1001", "H-1002", "H-1003"]

    campaign_id = sent(sold, draft_id)
    with sold.transaction() as session:
        one = session.query(Recipient).order_by(Recipient.id).first()
        assert one
        one.state, one.last_error = RecipientState.FAILED, "550 no"
    with sold.reading() as session:
        failed = roll.written(session, campaign_id, [RecipientState.FAILED], most=9)
        waiting = roll.written(session, campaign_id, [RecipientState.WAITING], most=9)
    assert [(each.number, each.why) for each in failed] == [("H-1001", "550 no")]
    assert len(waiting) == 2


def test_what_is_taken_of_a_new_edition_is_counted(sold: Shop) -> None:
    draft_id = drafting.begin(sold, "book", ADA, edition=True)
    upload = sold.uploads.begin("book.epub", 3)
    parts = iter([b"new", b""])
    sold.uploads.append(upload, 0, lambda _: next(parts))
    sold.uploads.seal(upload)
    typed = {"version": "1.1", "uploads": {upload.id: upload.name}}
    drafting.keep(sold, draft_id, typed, Page("tab", 0), ADA)
    campaign_id = sent(sold, draft_id)
    deliver(sold, campaign_id)
    assert campaigning.facts(sold, campaign_id)["state"] == CampaignState.FINISHED
    with sold.transaction() as session:
        assert session.query(Order).count() == 3
        session.add_all(
            Allowance(entitlement_id=number, file_id=2, taken=taken, lim=5)
            for number, taken in ((1, 2), (2, 0), (3, 1))
        )
    assert campaigning.facts(sold, campaign_id)["downloaded"] == 2
    assert list(sold.uploads.waiting()) == []


def test_a_mail_that_nobody_would_get_says_why(shop: Shop) -> None:
    make.product(shop)
    nobody = composing.look(shop, written(shop)).reach
    keeping.buy(shop, 3)
    with shop.transaction() as session:
        (product,) = session.query(Product)
        choice = audience.read(session, product.id, ["country:FR"])
        elsewhere = audience.reach(session, choice)
        everybody = audience.reach(session, Audience(product.id))
    said = run(
        *(shop, "mail", "broadcast", "book", "--subject", "Hello"),
        *("--body", str(note(shop)), "--to", "country:FR", "--dry-run"),
    ).output

    assert nobody
    assert (nobody.recipients, nobody.unsold) == (0, True)
    assert (elsewhere.recipients, elsewhere.others) == (0, 3)
    assert not elsewhere.unsold
    assert (everybody.recipients, everybody.others) == (3, 0)
    assert "3 do not: they do not fit what --to says" in said


def note(shop: Shop) -> Path:
    """A text in a file."""
    path = shop.home / "note.md"
    path.write_text("All of *you*.")
    return path
