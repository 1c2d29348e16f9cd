"""Who comes to the door in every story."""

import pytest

from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor
from tests.stories import relays
from tests.stories.buyers import buy
from tests.stories.desks import seller

__all__ = ["seller"]


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    """Somebody at the door."""
    return Visitor(shop)


@pytest.fixture
def heard(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold to Ann, and listens to every relay."""
    make.product(shop)
    buy(visitor, email=relays.ANN)
    return relays.listening(shop)
