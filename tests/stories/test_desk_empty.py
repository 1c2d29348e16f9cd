"""A list with nothing in it says what to do next, with a link or a command."""

import re

import pytest

from handsel.shop import Shop
from tests.stories.desks import Seller, hire

PAGES = (
    *("backups", "uploads", "hooks", "hooks/out", "audit", "mails", "mails/stopped"),
    *("customers", "customers/blocked", "books", "coupons", "orders", "orders/give"),
    *("products", "updates", "experiments"),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_empty_list_says_the_next_step(shop: Shop) -> None:
    seller: Seller = hire(shop)
    for path in PAGES:
        html = seller.get(f"/admin/{path}").text
        found = re.findall(r'<div class="nothing">(.*?)</div>', html, re.S)
        assert found, path
        for each in found:
            assert "href=" in each or "<code>" in each, path
            for place in re.findall(r'href="#([^"]+)"', each):
                assert f'id="{place}"' in html, path
