"""`Shop` is opened once and passed on; the only place that chooses implementations."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from handsel.delivery.storage.local import LocalStorage
from handsel.delivery.storage.uploads import Uploads
from handsel.kit.errors import BadInputError, ConfigurationError, NotFoundError
from handsel.kit.signing import Keys
from handsel.models import Order
from handsel.models.database import Database
from handsel.outbound.post import Mailroom
from handsel.outbound.transports.base import Transport
from handsel.sales import invoicing, orders
from handsel.sales.payments.base import (
    Payment,
    PaymentProvider,
    ProviderUnavailableError,
    UnknownSessionError,
)
from handsel.sales.payments.units import Units
from handsel.settings import Settings, load_settings

KEYS_FILE = Path("secrets") / "keys.json"


def utc_now() -> datetime:
    """Give the time of this moment, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Shop:
    """One shop, open for business."""

    home: Path
    settings: Settings
    keys: Keys
    database: Database
    providers: Mapping[str, PaymentProvider]
    transport: Transport
    storage: LocalStorage
    clock: Callable[[], datetime] = utc_now
    _calls: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(64), repr=False
    )

    def now(self) -> datetime:
        """Say what time it is in this shop."""
        return self.clock()

    def reading(self) -> AbstractContextManager[Session]:
        """One consistent view of the database, which cannot write."""
        return self.database.reading()

    def transaction(self) -> AbstractContextManager[Session]:
        """All or nothing; commits at the end of the block."""
        return self.database.transaction()

    def provider(self, name: str) -> PaymentProvider:
        """Give a payment provider that is in use. Raises NotFoundError."""
        try:
            return self.providers[name]
        except KeyError:
            raise NotFoundError("This shop does not take payments that way.") from None

    def units(self, currency: str) -> tuple[Units, ...]:
        """Say how those providers count that take a currency."""
        return tuple(
            units
            for each in self.providers.values()
            if (units := taken(each, currency))
        )

    @property
    def uploads(self) -> Uploads:
        """The files on their way here, beside those that are kept."""
        return Uploads(self.storage.root / "uploads")

    @property
    def test_mode(self) -> bool:
        """Whether any payment here moves no real money."""
        return any(provider.test for provider in self.providers.values())

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Hold one of the places for waiting on a provider.

        At most half of the page threads may wait, so that a slow provider never slows
        a page. Raises ProviderUnavailableError at once when all places are taken.
        """
        if not self._calls.acquire(blocking=False):
            raise ProviderUnavailableError(
                "Our payment provider is slow at the moment. You were not charged.",
                "Please try again in a minute.",
            )
        try:
            yield
        finally:
            self._calls.release()

    def look_up(self, provider: str, object_id: str) -> Payment:
        """Ask a provider for the truth about a payment; no transaction may be open.

        Raises UnknownSessionError, ProviderUnavailableError.
        """
        chosen = self.provider(provider)
        with self.calling():
            return chosen.look_up(object_id, self.now())

    def hear(self, provider: str, object_id: str) -> Order:
        """Ask a provider for the truth about a payment, and record it. Safe to repeat.

        One of ours that is over, and forgotten by its provider, was never paid. Raises
        UnknownSessionError, NotOurSessionError, ForgottenProductError,
        ProviderUnavailableError.
        """
        try:
            payment = self.look_up(provider, object_id)
        except UnknownSessionError:
            with self.transaction() as session:
                order = orders.forgotten(session, provider, object_id, self.now())
            if order is None:
                raise
            return order
        with self.transaction() as session:
            return self.record(session, provider, payment)

    def record(self, session: Session, provider: str, payment: Payment) -> Order:
        """Write down what a provider says of a payment, and the papers it asks for.

        Safe to repeat; raises as `orders.record`.
        """
        order = orders.record(session, self.keys, provider, payment, self.now())
        invoicing.follow(session, order, self.settings, self.now())
        return order

    def mailroom(self) -> Mailroom:
        """Give what is needed to write and send the mails that are due."""
        return Mailroom(
            self.home,
            self.settings,
            self.keys,
            self.database,
            self.transport,
            self.clock,
            self.test_mode,
        )

    def with_settings(self, settings: Settings) -> "Shop":
        """Give the same shop with other settings: same records, keys and files.

        Raises ConfigurationError, and then this one goes on.
        """
        return replace(
            self,
            settings=settings,
            providers=_providers(settings, self.home),
            transport=_transport(settings, self.home),
        )

    def close(self) -> None:
        """Give back every connection."""
        self.database.close()


def taken(provider: PaymentProvider, currency: str) -> Units | None:
    """Say how a provider counts a currency; None when it does not take it."""
    try:
        return provider.units(currency)
    except BadInputError:
        return None


def open_shop(
    home: Path,
    settings: Settings | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> Shop:
    """Open the shop that lives in `home`.

    Raises ConfigurationError with one line for each problem. The schema is not looked
    at: see `ops.schema`.
    """
    settings = settings or load_settings(home)
    keys = Keys.load(home / KEYS_FILE)
    threads = settings.server.threads
    return Shop(
        home=home,
        settings=settings,
        keys=keys,
        database=Database(settings.database.url, home, threads=threads),
        providers=_providers(settings, home),
        transport=_transport(settings, home),
        storage=LocalStorage(home / settings.storage.path),
        clock=clock,
        _calls=threading.BoundedSemaphore(max(1, threads // 2)),
    )


def _providers(settings: Settings, home: Path) -> dict[str, PaymentProvider]:
    return {
        name: _plug("payments", name)(settings, home) for name in settings.providers
    }


def _transport(settings: Settings, home: Path) -> Transport:
    opened: Transport = _plug("transports", settings.mail.transport)(settings, home)
    return opened


def check_names(settings: Settings) -> None:
    """Look for every provider and the transport by name. Raises ConfigurationError."""
    for name in settings.providers:
        _plug("payments", name)
    _plug("transports", settings.mail.transport)


def installed(kind: str) -> tuple[str, ...]:
    """Name what is there of a kind: `payments` or `transports`."""
    return tuple(sorted(_installed(kind)))


def _plug(kind: str, name: str) -> Any:
    """Find an implementation by its entry point, ours and other people's alike."""
    found = _installed(kind)
    setting = {"payments": "payments.enabled", "transports": "mail.transport"}[kind]
    if name not in found:
        raise ConfigurationError(
            f"{setting}: there is nothing called {name!r}.",
            f"Installed are: {', '.join(sorted(found))}.",
        )
    return _load(found[name])


@cache
def _installed(kind: str) -> Mapping[str, EntryPoint]:
    """Look once through everything that is installed: it does not change meanwhile."""
    return {point.name: point for point in entry_points(group=f"handsel.{kind}")}


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise ConfigurationError(
            f"{point.value} could not be loaded: {error}.",
            "Install it again, or take its name out of handsel.toml.",
        ) from error
