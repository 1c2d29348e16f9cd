"""The built-in provider `test`: a whole card payment with pretend money.

It behaves as a real one does towards the shop - sessions, a payment page, look-ups, money
that comes at once, later or never - and keeps its own books. Its payment page is shown by
the shop itself at `/testpay/<session>`; what that page does is decided here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from handsel.kit.errors import ConflictError
from handsel.kit.money import MAX_MINOR, Money
from handsel.kit.text import normalise_email
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import (
    Evidence,
    Fact,
    Glimpse,
    Notice,
    Payment,
    Purchase,
    RefundRequest,
    Started,
    WebhookRefusedError,
)
from handsel.sales.payments.testbank import Bank
from handsel.sales.payments.testcards import Card, card_ending, read_card
from handsel.sales.payments.testsessions import Session, dispute
from handsel.sales.payments.units import Units
from handsel.settings import Settings

BANK_FILE = "test-payments.sqlite3"


class Result(StrEnum):
    """What came of pressing a button on the payment page."""

    PAID = "paid"
    PAYS_LATER = "pays_later"  # the buyer has finished, the money is on its way
    ALREADY_PAID = "already_paid"  # by another press or tab; nothing more was charged
    CONFIRM = "confirm"  # ask the buyer to confirm (3-D Secure), then `answer_3ds`
    DECLINED = "declined"  # the session stays open for another card
    FAILED = "failed"  # the money on its way did not come; this session is over
    EXPIRED = "expired"  # or cancelled; it can no longer be paid


@dataclass(frozen=True)
class Outcome:
    """What came of a press: a result, and where or why.

    `url` is where the buyer goes next; empty when they stay. `message` and `hint` are what
    to tell them; empty when there is nothing to tell.
    """

    result: Result
    url: str = ""
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class PayPage:
    """What the payment page shows.

    `asks` is true while the buyer is being asked to confirm a card (3-D Secure).
    `return_url` already names the session.
    """

    session_id: str
    title: str
    price: Money
    email: str | None
    state: PaymentState
    asks: bool
    return_url: str
    cancel_url: str


class TestProvider:
    """A provider of pretend money. See `PaymentProvider` for what each method promises."""

    __test__ = False  # pytest takes every class named Test... for a test

    name = "test"
    label = "test card"
    test = True
    pages: tuple[str, ...] = ()  # the payment page is the shop's own

    def __init__(self, home: Path) -> None:
        self._bank = Bank(home / BANK_FILE)

    def units(self, currency: str) -> Units:
        """Take any amount: pretend money has every coin."""
        return Units("The test provider", step=1, least=1, most=MAX_MINOR)

    def start(self, purchase: Purchase, now: datetime) -> Started:
        """Open a session; its page is at the address that the buyer returns to."""
        session_id = self._bank.open_session(purchase, now)
        return Started(
            session_id, urljoin(purchase.return_url, f"/testpay/{session_id}")
        )

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Tell all about a session, named by itself, its capture, refund or dispute."""
        session = self._bank.find(object_id)
        return Payment(
            session_id=session.id,
            state=session.state(now),
            price=session.price,
            email=session.email,
            test=True,
            reference=session.reference,
            card_last4=session.last4,
            facts=session.facts(now),
            declined=self._bank.declined(session.id),
        )

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notice:
        """Refuse: this provider sends no messages, so nobody can forge one."""
        raise WebhookRefusedError(
            "The test provider sends no messages.", "Look the payment up instead."
        )

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every session that somebody, or the clock, has changed since then."""
        yield from self._bank.changed_since(since, now)

    def cancel(self, session_id: str, now: datetime) -> None:
        """End an open session; one that is over already stays as it is."""
        if not self._bank.cancel(session_id, now):
            self._bank.find(session_id)

    def check_refund(self, amount: Money) -> None:
        """Take any amount: pretend money has every coin."""

    def refund(self, session_id: str, wanted: RefundRequest, now: datetime) -> str:
        """Give money back at once and name the refund. Safe to repeat with the same key.

        Raises ConflictError when so much is not there; UnknownSessionError.
        """
        session = self._bank.find(session_id)
        if wanted.amount.currency != session.price.currency or wanted.amount.minor <= 0:
            raise ValueError(f"{wanted.amount} cannot be refunded of {session.price}")
        name = f"tr_{hashlib.sha256(wanted.key.encode()).hexdigest()[:24]}"
        fact = Fact(FactKind.REFUND, name, wanted.amount, now, wanted.key)
        added = self._bank.add_fact(session.id, fact)
        if not added and not _has(self._bank.find(session_id), name):
            raise ConflictError(
                "There is not so much money to give back.",
                "Refund at most what was paid and not refunded yet.",
            )
        return name

    def contest(self, session_id: str, evidence: Evidence, now: datetime) -> str:
        """Take an answer to a dispute; nobody reads it, `close_dispute` decides.

        Raises ConflictError when none is open; UnknownSessionError.
        """
        session = self._bank.find(session_id)
        name = dispute(session, now).object_id
        kinds = [fact.kind for fact in session.later if fact.object_id == name]
        if kinds != [FactKind.DISPUTE_OPEN] or not self._bank.take_answer(name):
            raise ConflictError("No dispute of this payment waits for an answer.")
        return name

    # The payment page.

    def page(self, session_id: str, now: datetime) -> PayPage:
        """Say what the payment page shows. Raises UnknownSessionError."""
        session = self._bank.find(session_id)
        state = session.state(now)
        return PayPage(
            session_id=session.id,
            title=session.title,
            price=session.price,
            email=session.email,
            state=state,
            asks=state is PaymentState.OPEN and session.asked_last4 is not None,
            return_url=_coming_back(session),
            cancel_url=session.cancel_url,
        )

    def submit(
        self,
        session_id: str,
        *,
        email: str,
        number: str,
        expiry: str,
        cvc: str,
        now: datetime,
    ) -> Outcome:
        """Pay with the four fields as they were typed. However often: charged once.

        Raises BadInputError with `field` `email`, `number`, `expiry` or `cvc`;
        UnknownSessionError.
        """
        session = self._bank.find(session_id)
        if session.state(now) is not PaymentState.OPEN:
            return _too_late(session, now)
        address = normalise_email(email)
        card = read_card(number, expiry, cvc, now)
        if card.asks:
            if self._bank.ask(session.id, card, address, now):
                return Outcome(Result.CONFIRM)
            return _too_late(self._bank.find(session.id), now)
        return self._charge(session, card, address, now, asked=False)

    def answer_3ds(self, session_id: str, *, passed: bool, now: datetime) -> Outcome:
        """Hear whether the buyer is the card's owner, after a result CONFIRM.

        When not, nothing is charged and another card may be tried. Safe to repeat.
        Raises UnknownSessionError.
        """
        session = self._bank.find(session_id)
        if session.state(now) is not PaymentState.OPEN:
            return _too_late(session, now)
        if session.asked_last4 is None:
            return _declined("There is no card to confirm.")
        if not passed:
            self._bank.stop_asking(session.id, now)
            return _declined("Your bank could not confirm that it is you.")
        card = card_ending(session.asked_last4)
        return self._charge(session, card, session.email or "", now, asked=True)

    def _charge(
        self, session: Session, card: Card, email: str, now: datetime, *, asked: bool
    ) -> Outcome:
        if card.refusal:
            self._bank.decline(session.id, now)
            return _declined(card.refusal)
        won = self._bank.approve(session, card, email, now, asked=asked)
        session = self._bank.find(session.id)
        if not won:
            return _too_late(session, now)
        result = Result.PAYS_LATER if card.delay else Result.PAID
        return Outcome(result, _coming_back(session))

    # What a buyer's bank would do at a real provider. For stories, the demo
    # and `simulate`.

    def fail_refund(self, refund_id: str, now: datetime) -> None:
        """Let a refund come back, as when the buyer's account is closed. Safe to repeat.

        Raises UnknownSessionError when there is no such refund.
        """
        session = self._bank.find(refund_id)
        for fact in session.later:
            if (fact.kind, fact.object_id) == (FactKind.REFUND, refund_id):
                void = Fact(FactKind.VOID, refund_id, fact.amount, now)
                self._bank.add_fact(session.id, void)

    def open_dispute(self, session_id: str, now: datetime) -> str:
        """Dispute the whole payment and name the dispute. Safe to repeat.

        Raises ConflictError when nothing was paid; UnknownSessionError.
        """
        session = self._bank.find(session_id)
        opened = dispute(session, now)
        if not self._bank.add_fact(session.id, opened) and not session.later:
            raise ConflictError("Nothing was paid.", "Only a payment can be disputed.")
        return opened.object_id

    def close_dispute(self, session_id: str, outcome: FactKind, now: datetime) -> None:
        """End an open dispute as DISPUTE_WON, DISPUTE_LOST or DISPUTE_SETTLED.

        Raises ConflictError when none is open; UnknownSessionError.
        """
        session = self._bank.find(session_id)
        about = dispute(session, now)
        kinds = [f.kind for f in session.later if f.object_id == about.object_id]
        if kinds != [FactKind.DISPUTE_OPEN]:
            raise ConflictError("No dispute is open.", "Open one first.")
        closed = Fact(outcome, about.object_id, about.amount, now)
        self._bank.add_fact(session.id, closed)


def open_provider(settings: Settings, home: Path) -> TestProvider:
    """Open the pretend bank in the shop's home. It needs no settings."""
    return TestProvider(home)


def _has(session: Session, object_id: str) -> bool:
    return any(fact.object_id == object_id for fact in session.later)


def _coming_back(session: Session) -> str:
    """The shop's return address, with the session added to whatever it asks already."""
    parts = urlsplit(session.return_url)
    named = urlencode({"session": session.id})
    query = f"{parts.query}&{named}" if parts.query else named
    return urlunsplit(parts._replace(query=query))


def _declined(message: str) -> Outcome:
    hint = "You can try again, or use another card."
    return Outcome(Result.DECLINED, message=message, hint=hint)


def _too_late(session: Session, now: datetime) -> Outcome:
    """What a press comes to when the session is not open any more."""
    match session.state(now):
        case PaymentState.COMPLETE:
            return Outcome(Result.ALREADY_PAID, _coming_back(session))
        case PaymentState.PROCESSING:
            return Outcome(Result.PAYS_LATER, _coming_back(session))
        case PaymentState.FAILED:
            message, result = "The money of this payment did not come.", Result.FAILED
        case PaymentState.OPEN:
            # Another tab has begun with another card; this question is out of date.
            return _declined("There is no card to confirm.")
        case _:
            message, result = "This payment has ended.", Result.EXPIRED
    hint = "You were not charged. Please begin again in the shop."
    return Outcome(result, session.cancel_url, message, hint)
