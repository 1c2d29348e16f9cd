"""What buyers do between the list of who gets a mail and the mail itself."""

from pathlib import Path

from handsel.ops import campaigning, releasing
from handsel.outbound import announcing
from handsel.outbound.compose import id_letters
from handsel.shop import Shop
from tests import make
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
