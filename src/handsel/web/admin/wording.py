"""What the desk calls things: statuses, what happened to an order, mails."""

from collections.abc import Mapping
from urllib.parse import quote

from handsel.models import Order
from handsel.models.words import FREE, GIFT, OrderStatus
from handsel.ops.desk.timeline import Happened, Moment
from handsel.web.admin import log_words

STATUSES: Mapping[str, str] = {
    OrderStatus.STARTED: "begun, not paid",
    OrderStatus.PROCESSING: "money on its way",
    OrderStatus.PAID: "paid",
    OrderStatus.PARTLY_REFUNDED: "partly refunded",
    OrderStatus.REFUNDED: "refunded",
    OrderStatus.DISPUTED: "disputed",
    OrderStatus.EXPIRED: "not paid in time",
    OrderStatus.NEEDS_REVIEW: "held back",
}
LOUD = (OrderStatus.DISPUTED, OrderStatus.NEEDS_REVIEW)
"""Statuses that somebody should look at."""

PROVIDERS = {
    "stripe": "Stripe",
    "paypal": "PayPal",
    "test": "test payments",
    FREE: "free",
    GIFT: "a present",
}

MAILS = {
    "receipt": "the link and receipt",
    "refund": "that money goes back",
    "find": "the list of purchases",
    "check": "the link to open before paying",
    "update": "an update",
}

_HAPPENED = {
    Happened.VIEWED: "Looked at the page",
    Happened.CLICKED: "Pressed Buy",
    Happened.STARTED: "Began to pay",
    Happened.DECLINED: "The bank declined",
    Happened.PAID: "Paid",
    Happened.TAKEN: "Took it, free",
    Happened.GIVEN: "Was given it",
    Happened.ACCEPTED: "Accepted and delivered",
    Happened.OPENED: "Opened the page of the purchase",
    Happened.REFUND_ASKED: "Refund asked for",
    Happened.REFUND_REFUSED: "Refund refused, no money went",
    Happened.REFUND_UNKNOWN: "Refund asked for; nobody knows whether the money went",
    Happened.REFUNDED: "Money went back",
    Happened.REFUND_VOID: "The refund came back",
    Happened.DISPUTED: "The bank disputes the payment",
    Happened.DISPUTE_WON: "Dispute won",
    Happened.DISPUTE_LOST: "Dispute lost",
    Happened.DISPUTE_SETTLED: "Dispute settled",
    Happened.REVOKED: "Files closed by hand",
    Happened.RESTORED: "Files opened by hand",
}
_NAMED = {
    Happened.MAILED: "Mailed",
    Happened.MAIL_WAITS: "A mail waits to go out",
    Happened.MAIL_FAILED: "A mail could not be sent",
    Happened.PRESSED: "Pressed Download, little arrived",
    Happened.DOWNLOADED: "Downloaded",
    Happened.PAPER: "Invoice",
    Happened.CREDIT_NOTE: "Credit note",
    Happened.NOTED: "Note",
}
BAD = {
    *(Happened.DECLINED, Happened.MAIL_FAILED, Happened.REFUND_REFUSED),
    *(Happened.REFUND_UNKNOWN, Happened.REFUND_VOID, Happened.DISPUTED),
    Happened.DISPUTE_LOST,
}


def happened(moment: Moment) -> str:
    """Say what happened, without its name or amount."""
    if moment.kind is Happened.DONE:
        return f"At the desk: {log_words.said(moment.what)}"
    return _HAPPENED.get(moment.kind) or _NAMED[moment.kind]


def name_of(moment: Moment) -> str:
    """Give the name of what it happened to, if it has one worth showing."""
    if moment.kind is Happened.DONE:
        return ""
    if moment.kind in (Happened.MAILED, Happened.MAIL_WAITS, Happened.MAIL_FAILED):
        topic, _, to = moment.what.partition(" ")
        return f"{MAILS.get(topic, topic)}, to {to}" if to else MAILS.get(topic, topic)
    return moment.what


def provider_url(order: Order, captures: list[str], *, sandbox: bool) -> str:
    """Give the page of a payment in its provider's panel; empty where there is none."""
    if order.provider == "stripe" and captures:
        trial = "test/" if order.test else ""
        return f"https://dashboard.stripe.com/{trial}payments/{quote(captures[0])}"
    if order.provider == "paypal" and captures:
        host = "www.sandbox.paypal.com" if sandbox else "www.paypal.com"
        return f"https://{host}/activity/payment/{quote(captures[0])}"
    return ""
