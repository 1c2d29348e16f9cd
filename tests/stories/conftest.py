"""Who comes to the door in every story."""

import pytest

from handsel.shop import Shop
from tests.ground.visitor import Visitor


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    """Somebody at the door."""
    return Visitor(shop)
