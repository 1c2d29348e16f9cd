"""What people with SQL see of mails: receipts, and mails to everyone beside them."""

from typing import Any

from sqlalchemy import text

from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending
from handsel.outbound import recipients
from handsel.shop import Shop
from tests import make
from tests.ops.keeping import buy
from tests.stories.test_release import edition, send


def seen(shop: Shop, where: str) -> list[dict[str, Any]]:
    """What the view shows."""
    query = text(f"SELECT * FROM v_mail WHERE {where} ORDER BY id")  # noqa: S608  # ours
    with shop.reading() as session:
        return [dict(row) for row in session.execute(query).mappings()]


def test_the_view_shows_receipts_and_mails_to_everyone(shop: Shop) -> None:
    make.product(shop)
    buy(shop, 3)
    campaign = releasing.announce(shop, edition(shop))
    campaigning.begin(shop, campaign)
    with shop.transaction() as session:
        (one,) = recipients.claim(session, campaign, shop.now(), 1)
        recipients.fail(session, one, "550 no such user")
    waiting = seen(shop, "campaign IS NOT NULL AND state = 'waiting'")
    send(shop, campaign)
    words = campaigning.create_broadcast(shop, "book", "Hi", "Hi.", Sending())
    campaigning.begin(shop, words)

    receipts = seen(shop, "topic = 'mail.receipt'")
    told = seen(shop, "topic = 'mail.release'")
    failed, *sent = told

    assert [row["campaign"] for row in receipts] == [None] * 3
    assert [row["recipient"] for row in told] == [
        f"reader{number}@example.com" for number in (1, 2, 3)
    ]
    assert [row["number"] for row in told] == ["H-1001", "H-1002", "H-1003"]
    assert {row["campaign"] for row in told} == {campaign}
    assert (failed["state"], failed["last_error"]) == ("failed", "550 no such user")
    assert {row["state"] for row in sent} == {"sent"}
    assert all(row["sent_at"] for row in sent)
    assert all(str(row["next_at"])[:4] == "2026" for row in waiting)
    assert len(seen(shop, "topic = 'mail.broadcast'")) == 3
