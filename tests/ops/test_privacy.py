"""A buyer is given out what is known of them, and is forgotten: nothing of them is left."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from handsel import worker
from handsel.analytics.events import source_id
from handsel.analytics.sightings import Arrival
from handsel.kit.errors import ConflictError, NotFoundError
from handsel.models import (
    Base,
    Inbox,
    InvoiceParty,
    MailCheck,
    Order,
    OrderVisit,
)
from handsel.models.words import Device, OrderStatus, StopReason
from handsel.ops import campaigning, disclosing, giving, privacy, releasing
from handsel.outbound import outbox, recipients, suppressions
from handsel.sales import blocks
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor
from tests.ops import keeping
from tests.stories import buyers
from tests.stories.test_release import edition

ANN = "Ann.Reader@example.com"
STAFF = {"audit"}
"""The log, which names no buyer."""


@pytest.fixture
def known(shop: Shop) -> Shop:
    """A shop that knows much of Ann, and a little of Bob."""
    product = make.product(shop)
    visitor = Visitor(shop)
    page = buyers.buy(visitor, email=ANN)
    buyers.download(visitor, page)
    buyers.buy(Visitor(shop), email="bob@example.com")
    giving.resend(shop, "H-1001", None)
    worker.turn(shop)
    giving.note(shop, "H-1001", f"{ANN} rang up.", press="one", by="Ada")
    keeping.refund(shop, "H-1001", 500)
    with shop.transaction() as session:
        now = shop.now()
        suppressions.stop(session, ANN, StopReason.UNSUBSCRIBED, now, f"<{ANN}>")
        blocks.block(session, shop.keys, ANN, now, reason=f"{ANN} is odd")
        order = session.scalars(select(Order).order_by(Order.id)).first()
        assert order
        session.add_all(
            [
                Inbox(
                    provider="test",
                    event_id="one",
                    kind="paid",
                    object_id="other",
                    raw=json.dumps({"customer": ANN.upper()}),
                    received_at=now,
                ),
                InvoiceParty(
                    order_id=order.id,
                    name="Ann Reader",
                    address="1 Street",
                    tax_number="",
                    said_at=now,
                ),
                MailCheck(
                    product_id=product.id,
                    email=ANN,
                    fields={"email": ANN},
                    starts=0,
                    created_at=now,
                ),
            ]
        )
        session.execute(
            insert(OrderVisit),
            {
                "order_id": order.id,
                "visitor": 1,
                "source_id": _source(shop, session),
                "country": "AT",
                "device": Device.PHONE,
                "ga_client": "ann.reader.at.google",
                "at": now,
            },
        )
    return shop


def _source(shop: Shop, session: Session) -> int:
    return source_id(session, Arrival(), shop.now())


def mentions(shop: Shop, word: str) -> set[str]:
    """Name every column in which a word stands, in any spelling."""
    found = set()
    with shop.database.engine.connect() as connection:
        for table in Base.metadata.tables.values():
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    if word.lower() in str(value).lower():
                        found.add(f"{table.name}.{name}")
    return found


def test_nothing_of_a_buyer_is_left_but_what_the_tax_office_asks_for(
    known: Shop,
) -> None:
    assert len(mentions(known, "ann.reader")) > 8

    done = privacy.erase(known, "ann.reader@example.com")

    assert mentions(known, "ann.reader") == set()
    assert mentions(known, "Ann Reader") == {"invoice_parties.name"}
    assert done.orders == ["H-1001"]
    assert (done.notes, done.kept_addresses) == (1, 1)
    assert mentions(known, "bob@example.com") > {"orders.email", "customers.email"}
    assert keeping.broken(known) == {}


def test_every_column_that_says_it_is_erased_is(known: Shop) -> None:
    said = {
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info.get("personal") == "erase" and table.name not in STAFF
    }
    assert said == set(privacy.ERASED)


def test_the_link_dies_and_the_order_stays(known: Shop) -> None:
    link = buyers.facts(known)["link"]
    before = buyers.order(known)

    privacy.erase(known, ANN)

    after = buyers.order(known)
    assert Visitor(known).get(link).status_code == 404
    kept = ("status", "price_minor", "country", "paid_at", "refunded_minor")
    assert [getattr(after, name) for name in kept] == [
        getattr(before, name) for name in kept
    ]
    assert (after.email, after.card_last4) == (None, None)


def test_the_link_stays_where_the_buyer_wants_it(known: Shop) -> None:
    link = buyers.facts(known)["link"]

    assert privacy.erase(known, ANN, keep_link=True).link_stays

    assert Visitor(known).get(link).status_code == 200


def test_what_the_provider_says_later_brings_nobody_back(known: Shop) -> None:
    privacy.erase(known, ANN)

    keeping.refund(known, "H-1001", 1000)
    worker.turn(known)

    assert buyers.order(known).status is OrderStatus.REFUNDED
    assert mentions(known, "ann.reader") == set()
    assert keeping.broken(known) == {}


def test_who_was_forgotten_is_still_matched_by_who_knows_the_address(
    known: Shop,
) -> None:
    privacy.erase(known, ANN)

    again = privacy.erase(known, ANN)
    with known.reading() as session:
        person = privacy.find(session, known.keys, ANN)
        assert blocks.is_blocked(session, known.keys, ANN)

    assert again.orders == ["H-1001"]
    assert len(person.order_ids) == 1
    with pytest.raises(NotFoundError):
        privacy.erase(known, "nobody@example.com")


def test_who_buys_again_is_a_new_customer(known: Shop) -> None:
    privacy.erase(known, ANN)
    with known.transaction() as session:
        blocks.unblock(session, known.keys, ANN)

    buyers.buy(Visitor(known), email=ANN)
    privacy.erase(known, ANN)

    assert mentions(known, "ann.reader") == set()
    with known.reading() as session:
        assert len(privacy.find(session, known.keys, ANN).order_ids) == 2


def test_mail_that_waits_does_not_go_any_more(known: Shop) -> None:
    known_mails = len(buyers.mails(known))
    giving.give(known, "book", ANN)
    privacy.erase(known, ANN)

    assert len(buyers.mails(known)) == known_mails


def test_what_a_mail_server_says_of_a_mail_on_its_way_brings_nobody_back(
    known: Shop,
) -> None:
    giving.give(known, "book", ANN)
    refused = f"450 <{ANN}> try later"
    with known.transaction() as session:
        leased = outbox.claim(session, known.now())
        mine = [item for item in leased if item.recipient == ANN]

    privacy.erase(known, ANN)
    with known.transaction() as session:
        outbox.later(session, mine[0], refused, known.now())
        assert not outbox.anything_due(session, known.now() + timedelta(days=1))

    assert mentions(known, "ann.reader") == set()


def test_nor_does_what_it_says_of_a_mail_to_everyone(known: Shop) -> None:
    with known.transaction() as session:
        suppressions.lift(session, ANN)
    made = releasing.publish(known, edition(known), mail=True)
    assert made.campaign_id
    campaigning.begin(known, made.campaign_id)
    with known.transaction() as session:
        leased = recipients.claim(session, made.campaign_id, known.now(), 20)

    privacy.erase(known, ANN)
    with known.transaction() as session:
        for one in leased:
            recipients.later(session, one, f"450 <{one.email}> later", known.now())

    assert leased
    assert mentions(known, "ann.reader") == set()


def test_nobody_is_forgotten_in_the_middle_of_a_dispute(
    shop: Shop,
) -> None:
    make.product(shop)
    visitor = Visitor(shop)
    page = buyers.payment_page(visitor)
    buyers.pay(visitor, page, number=buyers.DISPUTED, email=ANN)
    shop.hear("test", buyers.order(shop).session_id)
    if buyers.order(shop).status is not OrderStatus.DISPUTED:
        pytest.fail("The test bank has not disputed it.")

    with pytest.raises(ConflictError, match="evidence"):
        privacy.erase(shop, ANN)


def test_all_that_is_known_is_given_out_and_nothing_that_opens_anything(
    known: Shop,
) -> None:
    data = disclosing.export(known, ANN)

    (order,) = data["orders"]
    said = json.dumps(data, ensure_ascii=False)
    assert order["number"] == "H-1001"
    assert order["email"] == ANN
    assert len(order["mails"]) >= 2
    assert order["downloads"]
    assert order["notes"][0]["text"] == f"{ANN} rang up."
    assert data["updates_stopped"][0]["reason"] == "unsubscribed"
    found = keeping.order_of(known, "H-1001")
    for secret in (found.public_id, found.session_id, "bob@example.com"):
        assert secret not in said
