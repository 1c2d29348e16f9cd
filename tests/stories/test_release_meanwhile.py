"""What buyers do between the list of who gets a mail and the mail itself."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from handsel.models import Entitlement
from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending
from handsel.outbound import announcing, recipients
from handsel.outbound.compose import id_letters
from handsel.outbound.recipients import Sent
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, words
from tests.ops.keeping import refund
from tests.stories.buyers import buy, order
from tests.stories.test_release import edition, link, news, send, untrue

ANN = "ann@example.com"


def begun(shop: Shop) -> int:
    """A mail about 1.1 whose list is made, with nobody mailed yet."""
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    return made.campaign_id


def sold(shop: Shop, visitor: Visitor, *emails: str) -> None:
    """Sell a book to each of these."""
    for email in emails:
        buy(visitor.device(), email=email)


def test_the_mail_leads_to_the_purchase_that_still_opens_the_book(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN, "ANN@example.com", ANN, "bob@example.com")
    campaign = begun(shop)
    refund(shop, "H-1003", 1500)

    send(shop, campaign)

    ann, bob = news(shop)
    assert "H-1002" in words(visitor.get(link(ann)))  # the newest of those left
    assert "H-1004" in words(visitor.get(link(bob)))
    facts = campaigning.facts(shop, campaign)
    assert (facts["state"], facts["sent"], facts["skipped"]) == ("finished", 2, 0)
    assert untrue(shop) == []


def test_the_mail_keeps_its_name_when_it_leads_to_another_purchase(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN, ANN)
    campaign = begun(shop)
    written_down = order(shop, "H-1002").public_id
    refund(shop, "H-1002", 1500)

    send(shop, campaign)

    (mail,) = news(shop)
    name = announcing.dedupe_key(announcing.campaign_name(campaign), written_down)
    assert id_letters(name).encode() in Path(mail.path).read_bytes()


def test_who_has_had_all_the_money_back_gets_no_mail(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN, ANN)
    campaign = begun(shop)
    for number in ("H-1001", "H-1002"):
        refund(shop, number, 1500)

    send(shop, campaign)

    assert news(shop) == []
    assert campaigning.facts(shop, campaign)["skipped_why"] == {"closed": 1}


def test_who_has_bought_the_new_edition_instead_is_told_nothing(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN)
    campaign = begun(shop)
    sold(shop, visitor, ANN)
    refund(shop, "H-1001", 1500)

    send(shop, campaign)

    assert news(shop) == []


def test_a_cancelled_mail_goes_after_all_to_those_who_have_not_had_it(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN, "bob@example.com", "cid@example.com")
    campaign = begun(shop)
    with shop.transaction() as session:
        (one,) = recipients.claim(session, campaign, shop.now(), 1)
        recipients.done(session.connection(), [Sent(one.id, shop.now())])
    campaigning.cancel(shop, campaign)
    sold(shop, visitor, "dan@example.com")  # who has the new edition

    campaigning.resume(shop, campaign)
    send(shop, campaign)

    assert [mail.to for mail in news(shop)] == ["bob@example.com", "cid@example.com"]
    facts = campaigning.facts(shop, campaign)
    assert (facts["state"], facts["sent"], facts["remaining"]) == ("finished", 3, 0)


def test_a_cancelled_mail_for_later_begins_at_its_time_after_all(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    sold(shop, visitor, ANN)
    at = shop.now() + timedelta(hours=1)
    campaign = releasing.announce(shop, edition(shop, sending=Sending(at=at)))
    campaigning.cancel(shop, campaign)
    clock.move(minutes=30)

    campaigning.resume(shop, campaign)

    facts = campaigning.facts(shop, campaign)
    assert (facts["state"], facts["at"]) == ("scheduled", at.isoformat())
    assert facts["finished_at"] is None


def test_a_purchase_that_opens_several_products_is_told_of_each(
    shop: Shop, visitor: Visitor
) -> None:
    both = make.product(shop, slug="both")
    book = make.product(shop)
    buy(visitor, "both", email=ANN)
    with shop.transaction() as session:  # as a bundle opens them
        own = session.scalars(select(Entitlement)).one()
        assert own.product_id == both.id
        session.add(
            Entitlement(
                order_id=own.order_id,
                product_id=book.id,
                release_id=book.releases[0].id,
                access=True,
                granted_at=own.granted_at,
                access_changed_at=own.granted_at,
            )
        )
    campaign = begun(shop)

    send(shop, campaign)

    [told] = news(shop)
    assert (told.to, "H-1001" in words(visitor.get(link(told)))) == (ANN, True)
    assert campaigning.facts(shop, campaign)["skipped"] == 0
