"""Taking a product out of the shop for good, and its files out of the storage."""

from handsel.ops import stock
from handsel.ops.shelving import Witness, nobody
from handsel.sales import deleting
from handsel.shop import Shop


def delete_product(shop: Shop, slug: str, witness: Witness = nobody) -> str:
    """Delete a product as `deleting.delete` does; give its name.

    Files that nothing else has go at once; those of the last hours, and all of them while
    a backup is made or the files are proved, when the worker sweeps later. Raises
    NotFoundError, ConflictError; then nothing has changed.
    """
    with shop.transaction() as session:
        name = deleting.delete(session, slug, shop.now())
        witness(session)
    stock.sweep(shop.database, shop.storage, shop.now())
    return name
