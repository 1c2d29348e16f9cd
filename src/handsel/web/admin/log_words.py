"""What the log calls things: a sentence for each action, and the page it concerns."""

from collections.abc import Callable, Container, Mapping
from functools import cache
from typing import Any

from flask import url_for

from handsel.models import AuditEntry
from handsel.settings.running import sections
from handsel.web.admin.settings import CHAPTERS

SAID: Mapping[str, str] = {
    "backup.begun": "Began a backup",
    "backup.fetched": "Fetched a backup",
    "books.asked": "Asked the payment providers what was missed",
    "books.proving": "Began to prove the books",
    "coupon.ended": "Ended coupons",
    "coupon.made": "Made coupons",
    "coupon.revived": "Let coupons count again",
    "coupons.exported": "Took the codes of coupons out as CSV",
    "customer.blocked": "Sells to an address no more",
    "customer.erased": "Forgot a customer",
    "customer.exported": "Made the file of what is known of a customer",
    "customer.unblocked": "Sells to an address again",
    "experiment.deleted": "Deleted an experiment",
    "experiment.planned": "Planned an experiment",
    "experiment.started": "Started an experiment",
    "experiment.stopped": "Ended an experiment",
    "first_steps.hidden": "Put away the list of first steps",
    "hook.added": "Added one more whom the shop tells",
    "hook.message_replayed": "Sent a message of a web hook again",
    "hook.remove": "Tells somebody no more, and took them out",
    "hook.replayed": "Asked the payment provider again",
    "hook.secret_renewed": "Made a new secret for a web hook",
    "hook.secret_shown": "Looked at the secret of a web hook",
    "hook.start": "Tells somebody again by web hook",
    "hook.stop": "Stopped telling somebody by web hook",
    "hook.test": "Tried a web hook",
    "invoices.exported": "Took invoices out as CSV",
    "invoices.issued": "Issued invoices that were missing",
    "mail.lifted": "Lets an address get mails again",
    "mail.mailbox_read": "Began to read the mailbox of mails that came back",
    "mail.retried": "Sent again what had failed",
    "mail.returned_read": "Read a mail that came back",
    "mail.tested": "Sent a test mail",
    "order.accepted": "Delivered what was held back",
    "order.address_corrected": "Corrected the buyer's address",
    "order.buyer_blocked": "Sells to the buyer no more",
    "order.buyer_unblocked": "Sells to the buyer again",
    "order.closed": "Closed the files of a purchase",
    "order.dispute_answered": "Answered a dispute",
    "order.downloads_reset": "Allowed more downloads",
    "order.given": "Gave a product away",
    "order.link_sent": "Sent the link again",
    "order.noted": "Wrote a note",
    "order.opened": "Opened the files of a purchase again",
    "order.refund_asked": "Asked for money to go back",
    "orders.exported": "Took orders out as CSV",
    "product.added": "Added a product",
    "product.changed": "Changed a product",
    "product.deleted": "Deleted a product",
    "product.published": "Put a product on sale",
    "product.unpublished": "Took a product off the shelf",
    "release.published": "Brought out a new version",
    "settings.changed": "Changed a setting",
    "settings.not_changed": "Could not change settings after all",
    "settings.tried": "Tried a service",
    "staff.began": "Came for the first time, or with a new link",
    "staff.code_refused": "Typed a wrong code after the right password",
    "staff.invited": "Invited somebody to the desk",
    "staff.link_made": "Made a new link for somebody",
    "staff.passkey_added": "Added a passkey",
    "staff.passkey_deleted": "Deleted a passkey",
    "staff.password_changed": "Changed their password",
    "staff.password_refused": "Typed a wrong password",
    "staff.recovery_codes_made": "Made new codes for paper",
    "staff.removed": "Took somebody out",
    "staff.signed_in": "Signed in",
    "staff.signed_out": "Signed another browser out",
    "update.begun": "Began to send an update",
    "update.cancelled": "Cancelled an update",
    "update.discarded": "Threw a draft away",
    "update.drafted": "Began a draft",
    "update.paused": "Paused an update",
    "update.resumed": "Let an update go on",
    "update.retried": "Tried the mails of an update again that had failed",
    "update.sent": "Sent an update",
    "update.tested": "Sent themselves a draft",
}
"""Every action that is written anywhere; read with who did it in front."""

GONE = {
    *("customer.erased", "experiment.deleted", "hook.remove"),
    *("product.deleted", "update.discarded"),
}
"""After these there is no page of it any more."""


FAILED = "_failed"
"""Stands behind what was begun outside the database, and noted, and did not succeed."""


def said(action: str) -> str:
    """Say what somebody did; of an action that is not known any more, its name."""
    begun = action.removesuffix(FAILED)
    if begun != action and begun in SAID:
        return f"{SAID[begun]}, which failed"
    return SAID.get(action, action.replace(".", " ").replace("_", " "))


def called(entry: AuditEntry) -> str:
    """Say what it was done to; a setting by what people call it."""
    if not entry.action.startswith("settings."):
        return entry.subject
    return _titles().get(entry.subject) or entry.subject


@cache
def _titles() -> dict[str, str | None]:
    return {
        f"{section}.{field.alias or key}": field.title
        for section, kind in sections()
        for key, field in kind.model_fields.items()
    }


def product(entry: AuditEntry) -> str:
    """Give the slug of the product that an entry concerns; empty for any other."""
    noun = entry.action.partition(".")[0]
    return entry.subject if noun in ("product", "release") else ""


def place(entry: AuditEntry, products: Container[str]) -> str:
    """Give the address of what an entry concerns; empty when there is no page of it.

    `products`: the slugs of those that are there.
    """
    slug = product(entry)
    if entry.action in GONE or (slug and slug not in products):
        return ""
    if entry.subject.startswith("H-"):
        return url_for("desk.order", number=entry.subject)
    action = entry.action.removesuffix(FAILED)
    found = _PLACES.get(action) or _PLACES.get(action.partition(".")[0])
    return found(entry.subject, entry.detail) if found else ""


def _number(subject: str) -> int:
    """Read the number in `update 7`; 0 for none."""
    last = subject.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0


def _coupon(subject: str, detail: Mapping[str, Any]) -> str:
    if detail.get("count", 1) != 1:
        return url_for("desk.coupons", batch=subject)
    return url_for("desk.coupon", code=subject)


def _update(subject: str, _: Mapping[str, Any]) -> str:
    if subject.startswith("update ") and (number := _number(subject)):
        return url_for("desk.update", number=number)
    return url_for("desk.updates")


def _setting(subject: str, _: Mapping[str, Any]) -> str:
    section = subject.partition(".")[0]
    for chapter in CHAPTERS:
        if section in chapter.sections:
            return url_for("desk.chapter", name=chapter.path) + f"#{subject}"
    return url_for("desk.settings")


def _list_of(endpoint: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda subject, detail: url_for(endpoint)


_PLACES: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "backup": _list_of("desk.backups"),
    "books": _list_of("desk.books"),
    "coupon": _coupon,
    "coupons": lambda subject, _: url_for("desk.coupons", batch=subject),
    "customer": lambda subject, _: url_for(
        "desk.customer", customer_id=_number(subject)
    ),
    "customer.blocked": _list_of("desk.blocked"),
    "customer.unblocked": _list_of("desk.blocked"),
    "experiment": lambda subject, _: url_for("desk.experiment", name=subject),
    "hook": lambda subject, _: url_for("desk.one_outgoing", number=_number(subject)),
    "hook.added": _list_of("desk.outgoing"),
    "hook.replayed": _list_of("desk.hooks"),
    "invoices": _list_of("desk.report_invoices"),
    "invoices.exported": lambda subject, _: url_for(
        "desk.report_invoices", period=subject
    ),
    "mail": _list_of("desk.mails"),
    "mail.lifted": _list_of("desk.stopped"),
    "mail.mailbox_read": _list_of("desk.stopped"),
    "mail.returned_read": _list_of("desk.stopped"),
    "orders": _list_of("desk.orders"),
    "product": lambda subject, _: url_for("desk.product", slug=subject),
    "release": lambda subject, _: url_for("desk.product", slug=subject),
    "settings": _list_of("desk.settings"),
    "settings.changed": _setting,
    "staff": _list_of("desk.people_list"),
    "update": _update,
}
"""Where it can be looked at: for an action, or for all that begin like this."""
