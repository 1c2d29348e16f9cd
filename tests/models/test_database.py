"""What both databases promise behind one door."""

from sqlalchemy import func, select

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
