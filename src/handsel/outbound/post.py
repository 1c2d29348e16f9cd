"""The mailroom: takes what is due from the outbox, writes it, hands it over, marks it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from handsel.kit.errors import ShopError
from handsel.kit.signing import Keys
from handsel.models import Order
from handsel.models.database import Database
from handsel.outbound import letters, outbox
from handsel.outbound.compose import Sender, compose, message_id_for, seal
from handsel.outbound.leases import LEASE
from handsel.outbound.returning import return_address
from handsel.outbound.transports.base import (
    Carrier,
    PermanentMailError,
    TemporaryMailError,
    Transport,
)
from handsel.settings import Settings

log = logging.getLogger("handsel.mail")


@dataclass(frozen=True)
class Mailroom:
    """What writing and sending mail needs of the shop.

    `test_mode`: whether some payments there move no real money, as every mail must say.
    """

    home: Path
    settings: Settings
    keys: Keys
    database: Database
    transport: Transport
    clock: Callable[[], datetime]
    test_mode: bool


def deliver_due(room: Mailroom, *, most: int = 20) -> int:
    """Send what is due, each marked at once after its hand-over; give how many were due.

    A worker that dies in the middle leaves leases that run out: then the item goes
    again, with the same Message-ID.
    """
    with room.database.reading() as session:
        if not outbox.anything_due(session, room.clock()):
            return 0
    with room.database.transaction() as session:
        items = outbox.claim(session, room.clock(), most=most)
    if items:
        _hand_over(room, items)
    return len(items)


def _hand_over(room: Mailroom, items: Sequence[outbox.Item]) -> None:
    waiting = list(items)
    began = room.clock()
    try:
        with room.transport.connect() as carrier:
            # A server that takes its time must not outlast the leases: another worker
            # would send the rest a second time.
            while waiting and room.clock() - began < LEASE / 2:
                _one(room, carrier, waiting.pop(0))
    except TemporaryMailError as error:
        log.warning("Mail cannot be handed over now: %s", error)
        for item in waiting:
            _later(room, item, error)
        return
    except Exception as error:  # a broken transport must not hold the leases
        log.exception("Mail cannot be handed over now.")
        for item in waiting:
            _later(room, item, _in_words(error))
        return
    if waiting:
        with room.database.transaction() as session:
            outbox.put_back(session, waiting)


def _one(room: Mailroom, carrier: Carrier, item: outbox.Item) -> None:
    try:
        carrier.send(seal(*write(room, item), sender=comes_back_to(room, item)))
    except TemporaryMailError as error:
        _later(room, item, error)
    except (PermanentMailError, letters.CannotWriteError) as error:
        log.error("Mail %d was refused for good: %s", item.id, error)
        with room.database.transaction() as session:
            outbox.park(session, item, str(error))
    except letters.BrokenTemplateError as error:  # until the seller has mended it
        log.error("Mail %d cannot be written now: %s", item.id, error)
        _later(room, item, error)
    except Exception as error:  # a mistake of ours must not stop the other mails
        log.exception("Mail %d could not be written.", item.id)
        _later(room, item, _in_words(error))
    else:
        with room.database.transaction() as session:
            outbox.done(session, item, room.clock())


def _in_words(error: Exception) -> ShopError:
    return ShopError(f"{type(error).__name__}: {error}")


def _later(room: Mailroom, item: outbox.Item, error: ShopError) -> None:
    with room.database.transaction() as session:
        outbox.later(session, item, str(error), room.clock())


def write(room: Mailroom, item: outbox.Item) -> tuple[EmailMessage, str]:
    """Write one mail; its links are derived at this moment and stored nowhere.

    Raises letters.CannotWriteError when there is nobody to write to.
    """
    shop = room.settings.shop
    recipient = item.recipient or shop.email
    if not recipient:
        raise letters.CannotWriteError(
            "This mail is for the seller, whose address is not known.",
            "Set shop.email in handsel.toml, then run `handsel mail retry`.",
        )
    letter = letters.write(
        room.database,
        room.keys,
        room.settings,
        room.home,
        item,
        test_mode=room.test_mode,
    )
    sender = sender_of(room.settings)
    message = compose(
        sender=sender,
        to=recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=message_id_for(item.dedupe, sender.address.rpartition("@")[2]),
        date=room.clock(),
        reply_to=shop.email or None,
    )
    return message, recipient


def comes_back_to(room: Mailroom, item: outbox.Item) -> str:
    """Say where a mail goes when it cannot be delivered; empty: to who it comes from."""
    bounces = room.settings.mail.bounces
    if not bounces or not item.recipient:
        return ""
    with room.database.reading() as session:
        asked = select(Order.public_id).where(Order.id == item.order_id)
        public_id = session.scalar(asked) if item.order_id else None
    if public_id is None:
        return bounces
    return return_address(room.keys, bounces, public_id, item.recipient)


def sender_of(settings: Settings) -> Sender:
    """Say who mails come from: `mail.from`, else the shop's name at its own host."""
    name, address = parseaddr(settings.mail.from_)
    host = urlsplit(settings.shop.url).hostname if settings.is_public else "localhost"
    return Sender(name or settings.shop.name, address or f"books@{host}")
