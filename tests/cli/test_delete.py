"""`handsel product delete`."""

from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, real, run
from tests.ops import keeping


def test_a_product_nobody_bought_is_deleted_once_it_is_meant(shop: Shop) -> None:
    make.product(shop, published=False)

    asked = run(shop, "product", "delete", "book")
    assert asked.exit_code == 2
    assert "add --yes to delete" in asked.output
    assert facts(shop, "product", "delete", "book", "--yes") == {
        "slug": "book",
        "name": "The Book",
        "deleted": True,
    }
    again = real(shop.home, "product", "delete", "book", "--yes")
    assert again.returncode == 3
    assert "There is no product called book" in again.stderr
    assert facts(shop, "product", "list") == []
    assert keeping.broken(shop) == {}


def test_what_was_sold_is_not_deleted_and_the_command_says_what_to_do(
    shop: Shop,
) -> None:
    make.product(shop)
    keeping.buy(shop, 3)

    refused = real(shop.home, "product", "delete", "book", "--yes")

    assert refused.returncode == 1
    assert "book was ordered 3 times" in refused.stderr
    assert "handsel product unpublish book" in refused.stderr
    assert run(shop, "product", "show", "book").exit_code == 0


def test_a_part_of_a_bundle_is_not_deleted(shop: Shop) -> None:
    make.product(shop)
    both = ("product", "add", "--name", "Both", "--contains", "book", "--price", "20")
    run(shop, *both)

    refused = real(shop.home, "product", "delete", "book")

    assert refused.returncode == 1
    assert "book is a part of both. Take it out of there first." in " ".join(
        refused.stderr.split()
    )
