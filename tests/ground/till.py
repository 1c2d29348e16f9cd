"""A shop that takes cards by Stripe, open on a port, with a Stripe of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

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
from tests.providers.fake_stripe import SECRET_KEY, WEBHOOK_SECRET, FakeStripe
from tests.web.serving import Server, serving


@dataclass(frozen=True)
class Till:
    """The shop, its Stripe, and the door; the clocks of both go together."""

    shop: Shop
    stripe: FakeStripe
    server: Server
    app: Flask
    clock: Clock

    def visitor(self, address: str = "127.0.0.1") -> Visitor:
        """Somebody who was never here."""
        return Visitor(self.shop, app=self.app, address=address)

    def move(self, **length: float) -> None:
        """Let time pass for everybody, for instance `hours=25`."""
        self.clock.move(**length)
        self.stripe.bank.advance(timedelta(**length))

    def begin(self, visitor: Visitor, slug: str = "book") -> str:
        """Press Buy; gives the name of the payment session at Stripe."""
        answer = visitor.press(visitor.get(f"/p/{slug}"), f"/buy/{slug}")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return urlsplit(answer.headers["Location"]).path.rpartition("/")[2]

    def come_back(self, visitor: Visitor, name: str) -> TestResponse:
        """Return from Stripe's page, as its `success_url` says; do not follow."""
        url = self.stripe.bank.get("session", name)["success_url"]
        wanted = url.replace("{CHECKOUT_SESSION_ID}", name)
        assert parse_qs(urlsplit(wanted).query) == {"session": [name]}
        return visitor.get(wanted)

    def reconcile(self, **back: float) -> reconcile.Outcome:
        """Ask Stripe what was missed; the last day, or `minutes=5`."""
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


@pytest.fixture
def till(stripe_home: tuple[Path, FakeStripe], clock: Clock) -> Iterator[Till]:
    """A fresh shop that takes cards, on each kind of database, with nothing for sale."""
    home, fake = stripe_home
    shop = open_shop(home, load_settings(home), clock=clock)
    app = create_app(shop)
    with serving(app) as server:
        fake.hooks.url = f"{server.url}/webhooks/stripe"
        yield Till(shop, fake, server, app, clock)
    shop.close()
