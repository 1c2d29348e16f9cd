"""What the shop asks of a payment provider, in the shop's own words.

A provider keeps the money and the truth about it; we only hear of it. It never sees our
tables and never decides what a buyer may open. Register one under the entry point
`handsel.payments`, as `name = "package.module:open_provider"`, where
`open_provider(settings: Settings, home: Path) -> PaymentProvider`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from handsel.kit.errors import NotFoundError, ShopError, TryAgainError
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState, RefundReason, TaxClass
from handsel.sales.payments.lines import Line
from handsel.sales.payments.units import Units


class ProviderUnavailableError(TryAgainError):
    """The provider is away or too slow.

    To begin a payment has charged nothing; of a look or a refund nobody knows until it is
    asked again.
    """


class UnknownSessionError(NotFoundError):
    """The provider knows no such session."""


class ForeignPaymentError(UnknownSessionError):
    """The provider knows the object, but it never was a payment session of a shop."""


class WebhookRefusedError(ShopError):
    """The message does not prove that it comes from the provider, or is malformed."""


@dataclass(frozen=True)
class Purchase:
    """What a buyer is about to pay for.

    Args:
        key: the same key always gives the same session (idempotency), so that a double
            click or a retry after a lost answer cannot start two payments.
        email: prefills the provider's form; None lets the provider ask for it.
        return_url: where the buyer comes back to; the provider adds `?session=<id>`,
            or `?token=<id>`, as PayPal does.
        cancel_url: where the buyer goes who changes their mind.
        expires_at: when the session ends by itself.
        reference: a few short strings that `look_up` gives back unchanged; enough to
            rebuild the order if our database has forgotten it.
        tax_class: what is sold, for a provider that works out the tax.
        hosted: the buyer's browser cannot show the provider's fields on a page of ours, so
            it must be the provider's own page; a provider without such fields ignores it.
    """

    key: str
    title: str
    price: Money
    email: str | None
    return_url: str
    cancel_url: str
    expires_at: datetime
    reference: Mapping[str, str]
    tax_class: TaxClass = TaxClass.STANDARD
    hosted: bool = False


@dataclass(frozen=True)
class Started:
    """A payment session the buyer can now go to.

    `url` is a page of the provider's, or one of ours with the provider's fields in it.
    `expires_at`: when the provider ends it, if that is before the purchase says.
    """

    session_id: str
    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that happened to the money, named by the provider's own object id.

    (`kind`, `object_id`) is unique for a provider: hearing of it twice changes nothing.
    `amount` is never negative. `key`: of a refund the shop asked for, the key it asked with,
    if the provider can say so; the ledger does not keep it.
    """

    kind: FactKind
    object_id: str
    amount: Money
    at: datetime
    key: str | None = None


@dataclass(frozen=True)
class Declined:
    """One try to pay that a bank said no to.

    Args:
        object_id: names the try, the same whoever tells of it.
        at: when it was, or when the tries of its session began.
        reference: what the purchase said, if it is a message that tells of it.
        purchase: the key of the purchase, if the message has it.
    """

    object_id: str
    at: datetime
    reference: Mapping[str, str] = field(default_factory=dict)
    purchase: str = ""


@dataclass(frozen=True)
class Payment:
    """All that a provider knows of one session, at the moment it was asked.

    `price` is what the session asks for. `facts` is everything so far, in any order.
    `test` is true when no real money moves. `country` is that of the address
    given with the payment, or of the account, and `card_country` that of the bank which
    issued the card, as two letters (ISO 3166-1), if the provider says so. `tax` is what is
    in the price, where the provider works that out. `doubt` says what is wrong with the
    money, in a sentence for the seller: then nothing is delivered until somebody has
    looked. `lines`: what it cost, if the provider says so with each look; some only tell
    it when they tell of payouts. `declined` names tries that a bank said no to, those that
    this look shows anyway: by them the shop knows people who try stolen cards.
    """

    session_id: str
    state: PaymentState
    price: Money
    email: str | None
    test: bool
    reference: Mapping[str, str] = field(default_factory=dict)
    card_last4: str | None = None
    statement_text: str | None = None
    country: str | None = None
    card_country: str | None = None
    facts: tuple[Fact, ...] = ()
    tax: Money | None = None
    doubt: str = ""
    lines: tuple[Line, ...] = ()
    declined: tuple[Declined, ...] = ()


@dataclass(frozen=True)
class Notice:
    """A verified message from a provider: what to look up, never what to believe.

    `object_id` is whatever `look_up` accepts; None when the message is about something
    the shop does not follow. `declined`: it is about a try that was declined, which is
    counted as it is told, because there may be hundreds in a minute; then nothing is
    looked up.
    """

    event_id: str
    kind: str
    object_id: str | None
    declined: Declined | None = None


@dataclass(frozen=True)
class Glimpse:
    """One session as a list shows it: enough to know whether a look is worth it.

    `state` None means that something happened to its money (a refund, a dispute), so
    that it should be looked up whatever we know. `declined`: as in `Payment`, where the
    list shows it.
    """

    session_id: str
    state: PaymentState | None
    declined: tuple[Declined, ...] = ()


@dataclass(frozen=True)
class RefundRequest:
    """Money of one payment that is to go back to the buyer.

    Args:
        key: the same key gives the same money back once, however often it is asked.
        amount: more than nothing, in the currency of the payment.
    """

    key: str
    amount: Money
    reason: RefundReason = RefundReason.REQUESTED


@dataclass(frozen=True)
class Evidence:
    """What the shop knows of a purchase that is disputed, in words for a bank.

    Args:
        bought_at: when the buyer paid.
        downloads: one line for each file that was fetched, with times and bytes.
        mails: one line for each mail to the buyer, with when the server took it.
        terms: what the buyer was told about delivery.
    """

    product: str
    email: str
    bought_at: datetime
    downloads: str
    mails: str
    terms: str


class PaymentProvider(Protocol):
    """One way to take money."""

    name: str
    """The word in routes, settings and the database: `test`, `stripe`."""
    label: str
    """What a buyer reads on the button: "card"."""
    test: bool
    """True when no real money can move."""
    pages: tuple[str, ...]
    """Origins of the provider's own payment pages, for the browser's form policy."""

    def units(self, currency: str) -> Units:
        """Say what it can charge in a currency, without asking anybody.

        Raises BadInputError with `field` `price` for a currency it does not take.
        """
        ...

    def start(self, purchase: Purchase, now: datetime) -> Started:
        """Open a payment session. Safe to repeat with the same `purchase.key`.

        Raises ProviderUnavailableError.
        """
        ...

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Ask the provider for the truth about a session, or an object of one.

        Where the buyer only approves and the shop has to take the money, this takes it,
        once, if it is what was agreed: so it does not matter who comes first, the buyer,
        a web hook or the worker, nor how often, nor whether an answer gets lost. Safe to
        repeat, and from several threads and processes at once.

        Raises UnknownSessionError, ProviderUnavailableError.
        """
        ...

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notice:
        """Verify a message before parsing it. Header names are lower case.

        Raises WebhookRefusedError.
        """
        ...

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every session created or changed since then; repeats are harmless.

        Cheap: a few calls for a quiet day, not one for each session. One that nobody has
        paid or approved may be left out, where a provider has no list of them: the shop
        looks those of its own up, a few at a time.

        Raises ProviderUnavailableError.
        """
        ...

    def cancel(self, session_id: str, now: datetime) -> None:
        """End an open session so that it can no longer be paid. Safe to repeat.

        Raises UnknownSessionError, ProviderUnavailableError.
        """
        ...

    def check_refund(self, amount: Money) -> None:
        """Refuse an amount that cannot go back exactly, without asking anybody.

        Raises BadInputError with `field` `amount`.
        """
        ...

    def refund(self, session_id: str, wanted: RefundRequest, now: datetime) -> str:
        """Give money of a paid session back, and name the refund as its fact will be.

        It may be on its way for days; `look_up` tells it when it has gone, if possible
        with the key. Safe to repeat with the same key for a day at least, and from
        several threads and processes at once: all get the same name.

        Raises ConflictError when no money of this call went or will go, because there is
        not so much to give back; ProviderUnavailableError when nobody knows yet, so that
        it is repeated with the same key; UnknownSessionError, ConfigurationError.
        """
        ...

    def contest(self, session_id: str, evidence: Evidence, now: datetime) -> str:
        """Answer the open dispute of a payment, for good, and name the dispute.

        A bank takes one answer. Raises ConflictError when no dispute waits for an answer,
        UnknownSessionError, ProviderUnavailableError.
        """
        ...
