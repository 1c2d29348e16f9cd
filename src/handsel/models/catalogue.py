"""What is for sale: products, their releases, and the files of a release."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import ProductStatus, TaxClass


class BundleItem(Base):
    """One product that comes with another, which is sold as a bundle, and since when.

    What was taken out stays written down: whoever was on their way to pay has it.
    """

    __tablename__ = "bundle_items"
    __table_args__ = (
        CheckConstraint("bundle_id != product_id", name="not_in_itself"),
        CheckConstraint("removed_at >= added_at", name="removed_after_added"),
        Index(
            "uq_bundle_items_inside",
            "bundle_id",
            "product_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bundle_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    position: Mapped[int]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ProductPrice(Base):
    """The price of a product in another currency than its own."""

    __tablename__ = "product_prices"
    __table_args__ = (
        CheckConstraint("price_minor > 0", name="price_positive"),
        CheckConstraint(
            "sale_minor >= 0 AND sale_minor < price_minor", name="sale_below_price"
        ),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    price_minor: Mapped[int]
    sale_minor: Mapped[int | None]
    """The price while there is a sale, which ends with that of the product."""


class Product(Base):
    """One thing for sale. `price_minor` 0 means free.

    With `open_price` the buyer says what it is worth to them: `price_minor` is the least.
    """

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint(
            "sale_minor >= 0 AND sale_minor < price_minor", name="sale_below_price"
        ),
        CheckConstraint(
            "sale_minor IS NOT NULL OR sale_ends_at IS NULL", name="end_of_a_sale"
        ),
        CheckConstraint(
            "(family IS NULL) = (edition IS NULL)", name="edition_of_a_family"
        ),
        UniqueConstraint("family", "edition"),
        CheckConstraint(
            "sale_minor IS NULL OR NOT open_price", name="no_sale_of_open_price"
        ),
        CheckConstraint("download_limit BETWEEN 1 AND 1000", name="limit_sensible"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    cover: Mapped[str | None] = mapped_column(String(64))
    """sha256 of the cover image in the storage."""
    cover_type: Mapped[str | None] = mapped_column(String(40))
    cover_width: Mapped[int | None]
    cover_height: Mapped[int | None]
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    sale_minor: Mapped[int | None]
    """The price while there is a sale."""
    sale_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the sale is over; None when nobody has said."""
    open_price: Mapped[bool] = mapped_column(default=False)
    suggestions: Mapped[list[int]] = mapped_column(JSON, default=list)
    """Amounts, in minor units, to choose from when the price is open."""
    family: Mapped[str | None] = mapped_column(String(60))
    """The word that joins the editions of one thing, each a product of its own."""
    edition: Mapped[str | None] = mapped_column(String(60))
    """What this one is called beside the others."""
    tax_class: Mapped[TaxClass] = mapped_column(
        one_of(TaxClass), default=TaxClass.STANDARD
    )
    button: Mapped[str | None] = mapped_column(String(40))
    """The words on its button, if not the usual ones."""
    template: Mapped[str | None] = mapped_column(String(100))
    """The seller's own template of its page, if it has one to itself."""
    status: Mapped[ProductStatus] = mapped_column(one_of(ProductStatus))
    download_limit: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    releases: Mapped[list["Release"]] = relationship(
        order_by="Release.id", lazy="raise_on_sql", back_populates="product"
    )

    prices: Mapped[list[ProductPrice]] = relationship(
        order_by=ProductPrice.currency,
        cascade="all, delete-orphan",
        lazy="raise_on_sql",
    )
    """Prices in other currencies."""
    contents: Mapped[list["Product"]] = relationship(
        secondary="bundle_items",
        primaryjoin="and_(Product.id == BundleItem.bundle_id,"
        " BundleItem.removed_at.is_(None))",
        secondaryjoin="Product.id == BundleItem.product_id",
        order_by="BundleItem.position",
        lazy="raise_on_sql",
        viewonly=True,
    )
    """The products of a bundle; none for any other."""

    @property
    def files(self) -> list["ReleaseFile"]:
        """What is sold now: every file that no later one has taken the place of."""
        every = [file for release in self.releases for file in release.files]
        current = [file for file in every if file.replaced_in is None]
        return sorted(current, key=lambda file: (file.position, file.id))


class DeletedProduct(Base):
    """What a product was that was deleted: its visits are still counted under its number.

    No other product gets that number: what was counted of the one would be the other's.
    """

    __tablename__ = "deleted_products"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(String(60))
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Release(Base):
    """One edition of a product: the files that came with it, and what is new.

    Files of earlier editions stay for sale until another takes their place, and stay
    with those who bought them even then.
    """

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("product_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    version: Mapped[str] = mapped_column(String(40))
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    product: Mapped[Product] = relationship(
        lazy="raise_on_sql", back_populates="releases"
    )
    files: Mapped[list["ReleaseFile"]] = relationship(
        order_by="ReleaseFile.position",
        foreign_keys="ReleaseFile.release_id",
        lazy="raise_on_sql",
        back_populates="release",
    )


class ReleaseFile(Base):
    """One file of a release; its bytes lie in the storage under `sha256`."""

    __tablename__ = "release_files"
    __table_args__ = (
        UniqueConstraint("release_id", "name"),
        CheckConstraint("size >= 0", name="size_not_negative"),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
        CheckConstraint("replaced_in > release_id", name="replaced_by_a_later_one"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    """The name a buyer's download gets; a label, never a path."""
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    replaced_in: Mapped[int | None] = mapped_column(ForeignKey("releases.id"))
    """The release since which it is not sold any more; empty while it is."""
    release: Mapped[Release] = relationship(
        foreign_keys=[release_id], lazy="raise_on_sql", back_populates="files"
    )

    def is_for(self, release_id: int) -> bool:
        """Say whether it belongs to a purchase of that release."""
        return self.replaced_in is None or self.replaced_in > release_id
