"""Taking a product out of the shop for good, and its files out of the storage."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from handsel.ops import stock
from handsel.sales import deleting
from handsel.shop import Shop

Witness = Callable[[Session, str], None]
"""Writes down who does it, in the same transaction; is told the product's name."""


def nobody(_session: Session, _name: str) -> None:
    """Write nothing down: whoever calls a command is who runs this machine."""


def delete_product(shop: Shop, slug: str, witness: Witness = nobody) -> str:
    """Delete a product as `deleting.delete` does; give its name.

    Files that nothing else has go at once, those of the last hours when the worker sweeps
    next. Raises NotFoundError, ConflictError; then nothing has changed.
    """
    with shop.transaction() as session:
        name = deleting.delete(session, slug, shop.now())
        witness(session, name)
    stock.sweep(shop.database, shop.storage, shop.now())
    return name
