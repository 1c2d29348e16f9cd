"""What is told to others who count is no mail, and can be looked at and retried apart."""

import pytest
from sqlalchemy import update

from handsel.models import OutboxItem
from handsel.outbound import outbox
from handsel.outbound.counters import Hit, HitName
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ops import keeping


@pytest.fixture
def refused(shop: Shop) -> Shop:
    """A shop with a receipt, and a purchase that Google did not take."""
    make.product(shop)
    keeping.buy(shop, 1)
    hit = Hit(HitName.PURCHASE, shop.now(), "book", "The Book", 1500, "EUR")
    with shop.transaction() as session:
        outbox.put(
            session,
            "hit.ga4",
            "ga4:paid:1",
            recipient="",
            now=shop.now(),
            order_id=1,
            payload=hit.kept(),
        )
        session.execute(
            update(OutboxItem)
            .where(OutboxItem.topic == "hit.ga4")
            .values(state="dead", last_error="Google Analytics: HTTP 500.")
        )
    return shop


def test_mails_are_listed_without_hits_and_hits_without_mails(refused: Shop) -> None:
    mails = facts(refused, "mail", "list")
    hits = facts(refused, "mail", "list", "--hits")
    assert isinstance(mails, list)
    assert isinstance(hits, list)

    assert [each["topic"] for each in mails] == ["mail.receipt"]
    [hit] = hits
    assert (hit["what"], hit["to"], hit["order"]) == ("purchase", "ga4", "H-1001")
    shown = run(refused, "mail", "list", "--hits")
    assert "Google Analytics: HTTP 500." in shown.stdout
    assert "mail retry --hits" in shown.stderr
    assert "No mails." in run(refused, "mail", "list", "--state", "dead").stdout


def test_hits_are_retried_apart(refused: Shop) -> None:
    assert "No mail was given up" in run(refused, "mail", "retry").stdout
    assert facts(refused, "mail", "retry", "--hits") == {"retried": 1}
    assert "No hit was given up" in run(refused, "mail", "retry", "--hits").stdout
