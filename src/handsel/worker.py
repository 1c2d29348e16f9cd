"""The loop behind the pages: send what is due, look after payments, tidy up.

Any number of workers may run; whatever is worth doing once is claimed in the database.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, func, or_, select, update

from handsel.analytics import counting, money, months, taxes
from handsel.customers.staff import sessions
from handsel.delivery import access
from handsel.kit.errors import ShopError
from handsel.models import Duty, FindLink, Inbox, Order, RateCounter
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import PaymentState
from handsel.ops import (
    bouncing,
    braking,
    carrying,
    doctor,
    hooking,
    measuring,
    payouts,
    reconcile,
    renewing,
    stock,
)
from handsel.outbound import broadcast, hits, imap, post
from handsel.outbound.webhooks import sending
from handsel.sales import brake, businesses, checks, reservations, starts
from handsel.shop import Shop

log = logging.getLogger("handsel.worker")

IDLE_SECONDS = 1.0
BOUNCES_EVERY = timedelta(minutes=5)
LOOK_SECONDS = 5.0
"""How often each worker asks whether it is its turn to read the mailbox."""
STOP_SECONDS = 3.0
"""How long the end of the worker waits for a mailbox, and for others who count."""
KEEP_INBOX = timedelta(days=30)
MOST_OPEN = 20
"""How many payments that nobody has finished are asked about in one round, where a
provider has no list of them: so that a day full of them costs seven calls a minute."""
MOST_ROUNDS = 20
"""How much of a past that is not counted yet is counted in one go."""
FARTHEST = timedelta(days=28)
"""How far back payments are asked about: providers keep their news for a month."""


def follow(shop: Shop, stop: threading.Event) -> None:
    """Work until `stop` is set; when settings change, end what runs and begin anew."""
    while not stop.is_set():
        over = threading.Event()
        watch = renewing.Watch(shop, partial(_end, over))
        with renewing.watching(watch, stop, over.set):
            run(shop, over)
        shop = watch.shop


def _end(over: threading.Event, _shop: Shop) -> None:
    over.set()


def run(shop: Shop, stop: threading.Event) -> None:
    """Work until `stop` is set. What fails is logged and comes again.

    Side by side, so that a receipt waits neither for a mail to everyone, nor for a
    payment provider, a mailbox or a Google that does not answer.
    """
    beside = [
        threading.Thread(target=broadcast.run, args=(shop.mailroom(), stop)),
        threading.Thread(target=_again_and_again, args=(_do_duties, shop, stop)),
    ]
    # A server that says nothing more must not keep anybody from stopping: then the
    # thread is left behind, as it holds nothing but a connection (and leases that end).
    left = [
        threading.Thread(target=work, args=args, daemon=True)
        for work, args in (
            (read_mailbox, (shop, stop)),
            (_again_and_again, (_tell, shop, stop)),
            (_again_and_again, (_call, shop, stop)),
        )
    ]
    for each in (*beside, *left):
        each.start()
    try:
        _again_and_again(_deliver, shop, stop)
    finally:
        stop.set()
        for each in beside:
            each.join()
        for each in left:
            each.join(STOP_SECONDS)


def read_mailbox(shop: Shop, stop: threading.Event) -> None:
    """Read the bounces in the seller's mailbox every few minutes, until `stop` is set.

    Several workers take turns. Each trouble is logged once, until it is another one.
    """
    seen, said = imap.Seen(), ""
    while shop.settings.mail.bounce_mailbox and not stop.is_set():
        try:
            if _claim(shop, "bounces", BOUNCES_EVERY):
                found = bouncing.read_imap(shop, seen, stop)
                said = ""
                if found["read"]:
                    log.info("%s mails came back to the mailbox.", found["read"])
        except ShopError as error:
            if str(error) != said:
                said = str(error)
                log.warning("%s", said)
        except Exception:
            log.exception("Reading the mailbox failed; it will be tried again.")
        stop.wait(LOOK_SECONDS)


def turn(shop: Shop) -> bool:
    """Do everything that is due now; say whether there may be more at once."""
    busy = _deliver(shop)
    _do_duties(shop)
    _tell(shop)
    _call(shop)
    return busy


def _again_and_again(
    work: Callable[[Shop], bool | None], shop: Shop, stop: threading.Event
) -> None:
    while not stop.is_set():
        if not work(shop):
            stop.wait(IDLE_SECONDS)


def _deliver(shop: Shop) -> bool:
    """Send the mails that are due; say whether there may be more."""
    try:
        return post.deliver_due(shop.mailroom()) > 0
    except Exception:
        log.exception("Sending mail failed; it will be tried again.")
        return False


def _tell(shop: Shop) -> bool:
    """Tell others who count what is due; say whether there may be more."""
    try:
        desk = hits.desk(shop.settings, shop.database, shop.clock)
        return hits.send_due(desk) > 0
    except Exception:
        log.exception("Telling others failed; it will be tried again.")
        return False


def _call(shop: Shop) -> bool:
    """Tell by web hook what is due; say whether there may be more."""
    try:
        return sending.send_due(hooking.room(shop)) > 0
    except Exception:
        log.exception("Telling by web hook failed; it will be tried again.")
        return False


def _do_duties(shop: Shop) -> None:
    """Do what is due at its time; nothing more is due then."""
    for name, (gap, duty) in DUTIES.items():
        try:
            if _claim(shop, name, gap):
                duty(shop)
        except Exception:
            log.exception("The duty %s failed; it will come again.", name)


def _claim(shop: Shop, name: str, gap: timedelta) -> bool:
    """Take a duty that is due, so that no other worker does it at the same time.

    One that would wait for longer than it ever should was put off by a wrong clock.
    """
    now = shop.now()
    due = or_(Duty.next_at <= now, Duty.next_at > now + 2 * gap)
    with shop.reading() as session:
        known = session.scalar(select(Duty.name).where(Duty.name == name, ~due))
        if known:
            return False
    with shop.transaction() as session:
        insert_new(session, Duty, name=name, next_at=now)
        return bool(
            rows_changed(
                session,
                update(Duty)
                .where(Duty.name == name, due)
                .values(next_at=now + gap, last_at=now),
            )
        )


def _reconcile(shop: Shop) -> None:
    since = shop.now() - timedelta(hours=25)
    reconcile.reconcile(shop, since=since, most_open=MOST_OPEN)


def _reconcile_far_back(shop: Shop) -> None:
    """Ask about four days; after a long pause, about all that is still open here."""
    now = shop.now()
    with shop.reading() as session:
        oldest = session.scalar(
            select(func.min(Order.created_at)).where(
                Order.provider.in_(shop.providers),
                Order.created_at > now - FARTHEST,  # those of another account stay open
                Order.session_state.in_((PaymentState.OPEN, PaymentState.PROCESSING)),
            )
        )
    since = now - timedelta(days=4)
    if oldest:
        since = min(since, oldest - timedelta(hours=1))
    reconcile.reconcile(shop, since=since, most_open=MOST_OPEN)


def _read_payouts(shop: Shop) -> None:
    payouts.read(shop, most=payouts.MOST_LINES)


def _tidy(shop: Shop) -> None:
    """Give back downloads and coupons nobody took, and forget what was only kept for a while."""
    now: datetime = shop.now()
    with shop.transaction() as session:
        access.close_expired(session, now)
        reservations.forget(session, now, shop.providers)
        session.execute(delete(Inbox).where(Inbox.received_at < now - KEEP_INBOX))
        for forgotten in (brake, starts, checks, businesses, hits, sending):
            forgotten.forget(session, now)
        session.execute(delete(FindLink).where(FindLink.expires_at < now))
        sessions.forget_old(session, now)
        yesterday = int((now - timedelta(days=1)).timestamp())
        session.execute(delete(RateCounter).where(RateCounter.window < yesterday))


def _count_money(shop: Shop) -> None:
    """Count sales and refunds; of a long past so many a time that other duties have turns."""
    for _ in range(MOST_ROUNDS // 4):
        with shop.transaction() as session:
            if not measuring.follow_money(session, shop.settings, shop.now()):
                return


def _count_days(shop: Shop) -> None:
    """Count the days that are over, and forget what was only kept to be counted."""
    today = shop.now().date()
    with shop.reading() as session:
        if money.is_behind(session):
            return  # a day is counted when all of its sales are there
    counting.count(shop.database, today, most=MOST_ROUNDS)
    months.count(shop.database, today)
    counting.forget(shop.database, today, shop.settings.analytics.keep_days)


def _amend_taxes(shop: Shop) -> None:
    """Count papers that were issued when their day had been counted."""
    taxes.amend(shop.database, shop.now().date())


def _sweep(shop: Shop) -> None:
    stock.sweep(shop.database, shop.storage, shop.now())
    shop.uploads.sweep(shop.now())


DUTIES: dict[str, tuple[timedelta, Callable[[Shop], None]]] = {
    "refunds": (timedelta(minutes=1), carrying.finish),
    "brake": (timedelta(seconds=10), braking.end_much_tried),
    "reconcile": (timedelta(seconds=reconcile.ROUND), _reconcile),
    "reconcile-far-back": (timedelta(hours=1), _reconcile_far_back),
    "payouts": (payouts.EVERY, _read_payouts),
    "money-counted": (timedelta(seconds=10), _count_money),
    "days-counted": (timedelta(minutes=1), _count_days),
    "taxes-counted": (timedelta(minutes=10), _amend_taxes),
    "tidy": (timedelta(minutes=10), _tidy),
    "doctor": (timedelta(hours=1), doctor.keep),
    "sweep": (stock.SWEEP_EVERY, _sweep),
}
