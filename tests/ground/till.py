"""A shop that takes money by Stripe or PayPal, open on a port, with one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from handsel.models import Order
from handsel.models.base import Base
from handsel.ops import reconcile
from handsel.ops.verify import verify
from handsel.outbound.letters import purchase_link
from handsel.sales import orders
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from handsel.web import create_app
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.providers.fake_paypal import CLIENT_ID, SECRET, WEBHOOK_ID, FakePayPal
from tests.providers.fake_stripe import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    FakeStripe,
)
from tests.web.serving import Server, serving

Far = FakeStripe | FakePayPal


@dataclass(frozen=True)
class Till:
    """The shop, the far side of its provider, and the door; both clocks go together."""

    shop: Shop
    far: Far
    server: Server
    app: Flask
    clock: Clock

    @property
    def stripe(self) -> FakeStripe:
        """The far side, of a shop that takes cards by Stripe."""
        assert isinstance(self.far, FakeStripe)
        return self.far

    @property
    def paypal(self) -> FakePayPal:
        """The far side, of a shop that takes PayPal."""
        assert isinstance(self.far, FakePayPal)
        return self.far

    @property
    def provider(self) -> str:
        """The word for the provider in routes and records."""
        return next(iter(self.shop.providers))

    def visitor(self, address: str = "127.0.0.1") -> Visitor:
        """Somebody who was never here."""
        return Visitor(self.shop, app=self.app, address=address)

    def move(self, **length: float) -> None:
        """Let time pass for everybody, for instance `hours=25`."""
        self.clock.move(**length)
        self.far.bank.advance(timedelta(**length))

    def begin(self, visitor: Visitor, slug: str = "book") -> str:
        """Press Buy; gives the name of the payment session at the provider."""
        answer = visitor.press(visitor.get(f"/p/{slug}"), f"/buy/{slug}")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return self.far.named(answer.headers["Location"])

    def come_back(self, visitor: Visitor, name: str) -> TestResponse:
        """Return from the payment page to where it leads; do not follow."""
        return visitor.get(self.far.way_back(name))

    def change_mind(self, visitor: Visitor, name: str) -> TestResponse:
        """Leave the payment page without paying."""
        return visitor.get(self.far.way_out(name))

    def reconcile(self, **back: float) -> reconcile.Outcome:
        """Ask the provider what was missed; the last day, or `minutes=5`."""
        back = back or {"days": 1}
        return reconcile.reconcile(self.shop, since=self.shop.now() - timedelta(**back))

    def order(self, name: str) -> Order | None:
        """Give the order of a session."""
        with self.shop.reading() as session:
            wanted = select(Order).where(Order.session_id == name)
            return session.scalars(wanted).one_or_none()

    def link(self, name: str) -> str:
        """Give the path of a purchase's page, as it is mailed."""
        with self.shop.reading() as session:
            wanted = select(Order).where(Order.session_id == name)
            order = orders.by_number(session, session.scalars(wanted).one().number)
            link = purchase_link(self.shop.keys, self.shop.settings, order)
        return urlsplit(link).path


def rows(shop: Shop) -> dict[str, int]:
    """Count the rows of every table."""
    with shop.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def untrue(shop: Shop) -> dict[str, str]:
    """Give what `handsel verify` finds wrong."""
    found = verify(shop.database, shop.storage, shop.now())
    return {each.id: each.detail for each in found if not each.ok}


@pytest.fixture
def stripe_home(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, FakeStripe]]:
    """The home of a shop that takes cards by a fake Stripe, and that Stripe."""
    with FakeStripe(start=clock.time) as fake:
        set_stripe(fake, monkeypatch)
        yield home, fake


def set_stripe(fake: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shops opened from now on, here and in other processes, use this Stripe."""
    monkeypatch.setenv("HANDSEL_ENV", "test")
    monkeypatch.setenv("HANDSEL_STRIPE__SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("HANDSEL_STRIPE__WEBHOOK_SECRET", WEBHOOK_SECRET)
    monkeypatch.setenv("HANDSEL_STRIPE__API_BASE", fake.origin)


def set_paypal(fake: FakePayPal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shops opened from now on, here and in other processes, use this PayPal."""
    monkeypatch.setenv("HANDSEL_ENV", "test")
    monkeypatch.setenv("HANDSEL_PAYPAL__CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("HANDSEL_PAYPAL__SECRET", SECRET)
    monkeypatch.setenv("HANDSEL_PAYPAL__WEBHOOK_ID", WEBHOOK_ID)
    monkeypatch.setenv("HANDSEL_PAYPAL__API_BASE", fake.origin)


@pytest.fixture
def pays_here(
    stripe_home: tuple[Path, FakeStripe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let buyers pay on the shop's own page; to be asked for before `till`."""
    monkeypatch.setenv("HANDSEL_STRIPE__PUBLISHABLE_KEY", PUBLISHABLE_KEY)


@pytest.fixture
def till(stripe_home: tuple[Path, FakeStripe], clock: Clock) -> Iterator[Till]:
    """A fresh shop that takes cards, on each kind of database, with nothing for sale."""
    with opened_till(*stripe_home, clock) as till:
        yield till


@pytest.fixture
def paypal_till(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Till]:
    """The same for a shop that takes PayPal."""
    with FakePayPal(start=clock.time) as fake:
        set_paypal(fake, monkeypatch)
        with opened_till(home, fake, clock) as till:
            yield till


@pytest.fixture(params=["stripe", "paypal"])
def either_till(
    request: pytest.FixtureRequest,
    home: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Till]:
    """A shop that takes cards by Stripe, and then one that takes PayPal."""
    if request.param == "stripe":
        with FakeStripe(start=clock.time) as stripe:
            set_stripe(stripe, monkeypatch)
            with opened_till(home, stripe, clock) as till:
                yield till
    else:
        with FakePayPal(start=clock.time) as paypal:
            set_paypal(paypal, monkeypatch)
            with opened_till(home, paypal, clock) as till:
                yield till


@contextmanager
def opened_till(home: Path, fake: Far, clock: Clock) -> Iterator[Till]:
    """Open the shop of a home, and let its provider's web hooks arrive there."""
    shop = open_shop(home, load_settings(home), clock=clock)
    app = create_app(shop)
    with serving(app) as server:
        provider = next(iter(shop.providers))
        fake.hooks.url = f"{server.url}/webhooks/{provider}"
        yield Till(shop, fake, server, app, clock)
    shop.close()
