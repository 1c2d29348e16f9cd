"""Whether a product still is what somebody saw who is about to change it."""

import hashlib

from handsel.kit.errors import ConflictError
from handsel.models import Product
from handsel.sales import asking


class ChangedMeanwhileError(ConflictError):
    """Somebody else has changed a product since it was looked at."""


def of(product: Product) -> str:
    """Give a word for what a product is like, by which it is known again.

    Two marks are the same when nothing that `catalogue.edit` changes is different.
    """
    asked = asking.of(product)
    facts = (
        *(product.name, product.description, product.cover, product.download_limit),
        *(product.tax_class, product.family, product.edition),
        *(product.button, product.template, [each.slug for each in product.contents]),
        *(asked.price, asked.sale, asked.sale_ends_at, asked.open_price),
        *(asked.suggestions, asked.also),
    )
    return hashlib.sha256(repr(facts).encode("utf-8", "replace")).hexdigest()[:20]
