"""What leaves the shop for those who count, as the stories of it look at it."""

from typing import Any

from sqlalchemy import select

from handsel import worker
from handsel.models import OutboxItem
from handsel.ops import measuring
from handsel.outbound import outbox
from handsel.shop import Shop
from tests.stories.visiting import Reader


def tell(reader: Reader) -> None:
    """Let what was seen and sold be written down and told."""
    reader.write()
    follow(reader.shop)
    worker.turn(reader.shop)


def follow(shop: Shop) -> None:
    """Count sales, whatever the gap of the duty."""
    with shop.transaction() as session:
        measuring.follow_money(session, shop.settings, shop.now())


def rows(shop: Shop) -> list[OutboxItem]:
    """Give everything that was, or will be, told to those who count."""
    with shop.reading() as session:
        hits = select(OutboxItem).where(outbox.of_kind(outbox.HIT))
        return list(session.scalars(hits.order_by(OutboxItem.id)))


def states(shop: Shop) -> list[tuple[str, str]]:
    """Give how far each of them has come."""
    return [(each.payload["name"], str(each.state)) for each in rows(shop)]


def everything(shop: Shop, *tables: Any) -> str:
    """Give all that stands in these tables."""
    with shop.reading() as session:
        return repr([row for each in tables for row in session.execute(select(each))])
