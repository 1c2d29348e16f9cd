"""Orders, purchases and open downloads in bulk, made by the shop's own code."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.ground import SLUG
from benchmarks.provider import BenchProvider
from handsel.delivery import access
from handsel.kit.signing import numbered
from handsel.models import Order, ReleaseFile
from handsel.sales import checkout, orders, placing
from handsel.sales.checkout import Buyer
from handsel.sales.payments.base import Started
from handsel.shop import Shop, open_shop

TOGETHER = 500


@contextmanager
def opened(home: Path) -> Iterator[Shop]:
    """Open the shop beside the server that is being measured."""
    shop = open_shop(home)
    try:
        yield shop
    finally:
        shop.close()


def place_orders(home: Path, names: list[str], *, slug: str = SLUG) -> list[str]:
    """Place an order that is not paid yet for each name; give the session ids."""
    with opened(home) as shop:
        for start in range(0, len(names), TOGETHER):
            with shop.transaction() as session:
                for name in names[start : start + TOGETHER]:
                    _place(session, shop, slug, name)
    return [f"bench_{name}" for name in names]


def _place(session: Session, shop: Shop, slug: str, name: str) -> str:
    session_id = f"bench_{name}"
    placing.place(
        session,
        shop.keys,
        checkout.prepare(session, slug, units=shop.units, now=shop.now()),
        Started(session_id, ""),
        key=name,
        provider="bench",
        test=True,
        buyer=Buyer(),
        now=shop.now(),
    )
    return session_id


def open_downloads(
    home: Path, count: int, *, slug: str = SLUG, name: str = "reader"
) -> list[str]:
    """Make purchases and press Download in several browsers; give the paths `/g/...`."""
    paths: list[str] = []
    with opened(home) as shop:
        limit = shop.settings.delivery.download_limit
        while len(paths) < count:
            with shop.transaction() as session:
                order = _buy(session, shop, slug, f"{name}-{len(paths)}")
                browsers = range(min(limit, count - len(paths)))
                paths += [_press(session, shop, order, each) for each in browsers]
    return paths


def _buy(session: Session, shop: Shop, slug: str, name: str) -> Order:
    now = shop.now()
    payment = BenchProvider(0).look_up(_place(session, shop, slug, name), now)
    return orders.record(session, shop.keys, "bench", payment, now)


def _press(session: Session, shop: Shop, order: Order, browser: int) -> str:
    file = session.scalars(
        select(ReleaseFile.id).where(ReleaseFile.release_id == order.release_id)
    ).one()
    window = timedelta(hours=shop.settings.delivery.grant_hours)
    grant = access.press(
        session, order, file, f"browser{browser}", window=window, now=shop.now()
    )
    return f"/g/{numbered(shop.keys, 'grant', grant)}"
