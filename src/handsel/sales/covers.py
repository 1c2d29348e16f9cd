"""Covers of products: the picture itself lies in the storage."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.analytics import experiments
from handsel.kit.errors import NotFoundError
from handsel.models import Product
from handsel.models.words import ProductStatus


@dataclass(frozen=True)
class Cover:
    """A cover image that lies in the storage already. Sizes are pixels."""

    sha256: str
    content_type: str
    width: int
    height: int


def put_on(product: Product, cover: Cover | None) -> None:
    """Give a product this cover, or none."""
    product.cover = cover.sha256 if cover else None
    product.cover_type = cover.content_type if cover else None
    product.cover_width = cover.width if cover else None
    product.cover_height = cover.height if cover else None


def type_of(session: Session, sha256: str) -> str:
    """Give the type of a cover that strangers may see. Raises NotFoundError."""
    kind = session.scalars(
        select(Product.cover_type)
        .where(Product.cover == sha256, Product.status == ProductStatus.PUBLISHED)
        .limit(1)
    ).one_or_none() or experiments.cover_type(session, sha256)
    if kind is None:
        raise NotFoundError("There is no such picture.")
    return kind
