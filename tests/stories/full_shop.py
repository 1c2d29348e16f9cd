"""A shop in which everything has happened that a page of the desk could show.

`say(field)` gives the words for every field that somebody types: real-looking ones for
pictures, nasty ones for those who look whether words stay words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from handsel import worker
from handsel.kit.money import Money
from handsel.models import OutboxItem
from handsel.models.words import OutboxState, RefundReason, StopReason
from handsel.ops import (
    couponing,
    drafting,
    giving,
    hooking,
    refunding,
    releasing,
    shelving,
)
from handsel.ops.drafting import Page
from handsel.ops.refunding import Wish
from handsel.ops.releasing import Sending, Wanted
from handsel.outbound import outbox, suppressions
from handsel.sales import blocks
from handsel.sales.releases import NewRelease
from handsel.shop import Shop
from tests import make
from tests.stories.buyers import DISPUTED, buy
from tests.stories.trying import begin
from tests.stories.visiting import PHONE, Reader

Say = Callable[[str], str]

USUAL = {
    "name": "The Secret Life of Very Old Kettles, and What They Say When Nobody Listens",
    "arabic": "حياة الغلايات القديمة",
    "description": "*Handsel* is the first money of the day.\n\n- five stories\n- one coin",
    "notes": "Two *mistakes* mended.",
    "note": "Wrote to say thank you. Wants the paper edition.",
    "reason": "sends money back each time",
    "headline": "Kettles talk. Listen.",
    "email": "maximiliane.von-der-schulenburg@a-rather-long-domain-name.example",
    "error": "550 5.1.1 The e-mail account that you tried to reach does not exist.",
    "source": "newsletter",
    "file": "kettles.epub",
}


def usual(field: str) -> str:
    """Give words as sellers and buyers type them."""
    return USUAL[field]


@dataclass(frozen=True)
class Filled:
    """What has happened, as far as addresses of pages name it."""

    slug: str
    number: str
    experiment: str
    campaign: int
    draft: int


def fill(shop: Shop, say: Say = usual) -> Filled:
    """Let everything happen, once."""
    book = _stock(shop, say)
    _visit_and_buy(shop, say)
    refunding.refund(
        shop,
        refunding.plan(shop, "H-1001", Wish("5", RefundReason.REQUESTED, False)),
    )
    giving.give(shop, "book", "gift@example.com")
    giving.note(shop, "H-1001", say("note"), press="once", by="ada@example.com")
    with shop.transaction() as session:
        blocks.block(
            session, shop.keys, "thief@example.com", shop.now(), reason=say("reason")
        )
        suppressions.stop(
            session, "gone@example.com", StopReason.BOUNCED, shop.now(), say("error")
        )
    campaign = _write_to_all(shop, book, say)
    _mails_that_failed(shop, say)
    made, _ = hooking.add(shop, "https://example.com/hooks", with_email=False)
    hooking.try_out(shop, made.id)
    draft = drafting.begin(shop, "book", "ada@example.com", edition=False)
    typed = {"subject": say("note"), "text": say("notes")}
    drafting.keep(shop, draft, typed, Page("here", 0), "ada@example.com")
    return Filled("book", "H-1001", "headline", campaign, draft)


def _stock(shop: Shop, say: Say) -> str:
    make.product(shop, slug="book", name=say("name"))
    make.product(shop, slug="poems", name=say("arabic"), price=Money(0, "EUR"))
    make.product(shop, slug="draft", name="Not yet", published=False)
    shelving.edit_product(shop, "book", description=say("description"))
    couponing.make(
        shop, "SPRING", percent="25", amount=None, products=["book"], least=None,
        starts_at=None, ends_at=shop.now() + timedelta(days=30), most_uses=100,
        most_each=1,
    )  # fmt: skip
    return "book"


def _visit_and_buy(shop: Shop, say: Say) -> None:
    begin(shop, "headline", "a", f"b={say('headline')}")
    reader = Reader(shop, agent=PHONE)
    source = {"utm_source": say("source"), "utm_campaign": say("source")}
    reader.get("/p/book", query_string=source)
    buy(reader, email=say("email"))
    for number in range(3):
        other = Reader(shop, of=reader, address=f"198.51.100.{number}")
        buy(other, email=f"reader{number}@example.com")
    buy(Reader(shop, of=reader, address="192.0.2.9"), number=DISPUTED)
    reader.write()
    reader.close()
    worker.turn(shop)


def _write_to_all(shop: Shop, slug: str, say: Say) -> int:
    path = make.book_file(shop.home / "editions", say("file"), b"new " * 900)
    wanted = Wanted(slug, [path], NewRelease("1.1", say("notes"), False), Sending())
    made = releasing.publish(shop, wanted, mail=True)
    assert made.campaign_id
    return made.campaign_id


def _mails_that_failed(shop: Shop, say: Say) -> None:
    with shop.transaction() as session:
        outbox.put(
            session, "mail.test", "failed", recipient="gone@example.com",
            now=shop.now(), payload={"date": "2026-11-23"},
        )  # fmt: skip
        session.flush()
        item = session.query(OutboxItem).filter_by(dedupe="failed").one()
        item.state, item.last_error = OutboxState.DEAD, say("error")
