"""A payment provider for measuring: it always says paid, and answers as late as told.

Sessions need no memory: everything is in their id, so that many can be prepared in bulk.
Its messages are signed with HMAC-SHA256 over time and body, as Stripe's are.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from handsel.kit.money import MAX_MINOR, Money
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
from handsel.sales.payments.units import Units

PRICE = Money(1500, "EUR")
SECRET = b"only for measuring"
SIGNATURE = "X-Bench-Signature"
PAID_AT = datetime(2026, 11, 1, tzinfo=UTC)


def signed(body: bytes, moment: int) -> str:
    """Sign a message as this provider does; `moment` is in seconds since 1970."""
    mac = hmac.new(SECRET, f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


def message(session_id: str) -> bytes:
    """Write the message that a session has been paid; as long as a real one."""
    about = {"id": session_id, "object": "checkout.session", "padding": "x" * 1500}
    return json.dumps(
        {"id": f"evt_{session_id}", "type": "session.completed", "object": about}
    ).encode()


class BenchProvider:
    """A provider that takes `delay` seconds to answer any call."""

    name = "bench"
    label = "Bench"
    test = True
    pages: tuple[str, ...] = ()

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def units(self, currency: str) -> Units:
        """Take any amount."""
        return Units("Bench", step=1, least=1, most=MAX_MINOR)

    def start(self, purchase: Purchase, now: datetime) -> Started:
        """Open a session named after the purchase; its page is the way back."""
        self._take_time()
        session_id = f"bench_{purchase.key[:32]}"
        return Started(session_id, f"{purchase.return_url}?session={session_id}")

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Say that the session has been paid in full."""
        self._take_time()
        return Payment(
            session_id=object_id,
            state=PaymentState.COMPLETE,
            price=PRICE,
            email=f"{object_id}@example.com",
            test=True,
            card_last4="4242",
            facts=(Fact(FactKind.CAPTURE, f"pi_{object_id}", PRICE, PAID_AT),),
        )

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notice:
        """Verify signature and age before parsing. Raises WebhookRefusedError."""
        said = headers.get(SIGNATURE.lower(), "")
        moment = said.partition(",")[0].removeprefix("t=")
        if not moment.isdigit() or not hmac.compare_digest(
            said, signed(body, int(moment))
        ):
            raise WebhookRefusedError("This message is not signed by the provider.")
        if abs(now.timestamp() - int(moment)) > 300:
            raise WebhookRefusedError("This message is too old.")
        event = json.loads(body)
        return Notice(event["id"], event["type"], event["object"]["id"])

    def _take_time(self) -> None:
        if self._delay:
            time.sleep(self._delay)

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name nothing: there is nothing to reconcile."""
        return iter(())

    def cancel(self, session_id: str, now: datetime) -> None:
        """Do nothing: nothing is ever open."""

    def check_refund(self, amount: Money) -> None:
        """Take any amount."""

    def refund(self, session_id: str, wanted: RefundRequest, now: datetime) -> str:
        """Name a refund; no money moves."""
        return f"re_{wanted.key}"

    def contest(self, session_id: str, evidence: Evidence, now: datetime) -> str:
        """Name a dispute; there never is one."""
        return f"dp_{session_id}"
