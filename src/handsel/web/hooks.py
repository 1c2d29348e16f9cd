"""What providers send us. Believed for one thing only: that a look is worth it."""

from datetime import datetime

from flask import Blueprint, Response, request
from sqlalchemy import select

from handsel.models import Inbox
from handsel.models.database import insert_new
from handsel.outbound import relays, undelivered
from handsel.sales import brake
from handsel.sales.payments.base import (
    Declined,
    ForeignPaymentError,
    Notice,
    Payment,
)
from handsel.sales.rebuilding import NotOurSessionError
from handsel.shop import Shop
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

blueprint = Blueprint("hooks", __name__)
guard(
    blueprint,
    Policy("payment providers and relays, by their signature", foreign_posts=True),
)


@blueprint.post("/webhooks/<provider>")
def receive(provider: str) -> Response:
    """Verify a message, look up what it is about, record it, and only then say 200.

    Anything that keeps us from writing it down is an error, so that it comes again.
    """
    shop = the_shop()
    headers = {name.lower(): value for name, value in request.headers}
    if provider in relays.in_use(shop.settings.mail):
        return _from_relay(shop, provider, headers)
    notice = shop.provider(provider).read_webhook(
        headers, request.get_data(), shop.now()
    )
    if notice.declined:
        return _count(shop, provider, notice.declined)
    if notice.object_id is None:
        return _answer("This kind of message changes nothing here.")
    if _applied(shop, provider, notice):
        return _answer("Recorded before.")
    try:
        payment = shop.look_up(provider, notice.object_id)
        _record(shop, provider, notice, payment)
    except (ForeignPaymentError, NotOurSessionError):
        return _answer("This payment belongs to another shop.")
    return _answer("Recorded.")


def _count(shop: Shop, provider: str, declined: Declined) -> Response:
    """Count a card that was declined. Nothing of it is kept but that it was so."""
    with shop.transaction() as session:
        if brake.note_told(session, shop.keys, provider, declined, shop.now()):
            return _answer("Recorded.")
    return _answer("This payment belongs to another shop.")


def _applied(shop: Shop, provider: str, notice: Notice) -> bool:
    """Say whether this very message has been acted on: then nothing is new."""
    with shop.reading() as session:
        seen = session.scalar(
            select(Inbox.applied_at).where(
                Inbox.provider == provider, Inbox.event_id == notice.event_id
            )
        )
    return seen is not None


def _record(shop: Shop, provider: str, notice: Notice, payment: Payment) -> None:
    now = shop.now()
    with shop.transaction() as session:
        insert_new(
            session,
            Inbox,
            provider=provider,
            event_id=notice.event_id,
            kind=notice.kind,
            object_id=notice.object_id,
            raw=request.get_data(as_text=True),
            received_at=now,
            applied_at=now,
        )
        shop.record(session, provider, payment)


def _from_relay(shop: Shop, relay: str, headers: dict[str, str]) -> Response:
    """Verify what a mail relay says of some mails, and act on each thing once."""
    now = shop.now()
    request.max_content_length = relays.LARGEST
    news = relays.read(relay, shop.settings.mail, headers, request.get_data(), now)
    new = [_note(shop, relay, each, now) for each in news]
    if news and not any(new):
        return _answer("Recorded before.")
    known = any(each.report for each in news)
    return _answer("Recorded." if known else "This kind changes nothing here.")


def _note(shop: Shop, relay: str, news: relays.News, now: datetime) -> bool:
    """Act on one thing; say whether it is new. In a transaction of its own.

    Of many things in one message those done stay done, and it may come again whole.
    """
    with shop.transaction() as session:
        if not undelivered.heard(session, relay, news.name, news.kind, now):
            return False
        if news.report:
            undelivered.record_signed(session, news.report, now)
    return True


def _answer(text: str) -> Response:
    return Response(text + "\n", content_type="text/plain; charset=utf-8")
