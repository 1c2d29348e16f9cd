"""What both databases promise behind one door."""

from sqlalchemy import func, select, text

from handsel.models import Product
from handsel.shop import Shop
from tests import make


def test_a_view_stays_the_same_while_one_looks_whatever_others_write(
    shop: Shop,
) -> None:
    with shop.reading() as session:
        before = session.scalar(select(func.count(Product.id)))
        make.product(shop)
        assert session.scalar(select(func.count(Product.id))) == before
    with shop.reading() as session:
        assert session.scalar(select(func.count(Product.id))) == 1


def test_only_what_may_be_forgotten_in_a_power_cut_does_not_wait_for_the_disk(
    shop: Shop,
) -> None:
    # The PostgreSQL of the tests never waits; that it was told so counts here.
    ask = text(
        "SELECT source != 'client' FROM pg_settings WHERE name = 'synchronous_commit'"
    )
    if shop.database.is_sqlite:
        ask = text("SELECT synchronous = 2 FROM pragma_synchronous")
    with shop.database.unsynced() as connection, connection.begin():
        assert not connection.scalar(ask)
    with shop.transaction() as session:
        assert session.scalar(ask)
