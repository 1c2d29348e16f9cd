"""The address a purchase belongs to: sending the link again, mending a typing error."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.customers import customers
from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.text import email_key, normalise_email
from handsel.models import Order
from handsel.outbound import emails
from handsel.sales import reservations

MENDABLE = timedelta(hours=24)
"""How long after buying the buyer may correct the address by themselves."""


def send_again(session: Session, order: Order, now: datetime) -> None:
    """Mail the link once more. Raises ConflictError when there is nothing to send."""
    check_paid(order)
    if not order.email:
        raise ConflictError(
            f"Nobody has given an address for order {order.number}.",
            f"Say where the link goes: handsel order resend {order.number} --to ADDRESS",
        )
    emails.receipt_again(session, order, now)


def check_paid(order: Order) -> None:
    """Raise ConflictError for an order without a payment, which has no link to send."""
    if order.paid_at is None:
        raise ConflictError(
            f"Order {order.number} has not been paid, so there is no link to send.",
            f"`handsel order show {order.number}` says how far it has come.",
        )


def can_mend(order: Order, now: datetime) -> bool:
    """Say whether the buyer may still correct the address by themselves."""
    return order.paid_at is not None and now - order.paid_at <= MENDABLE


def mend(session: Session, order_id: int, typed: str, now: datetime) -> Order:
    """Move a purchase to another address and mail it a new link; the old one dies.

    Because the old one may lie in a stranger's mailbox. Raises BadInputError for an
    address that cannot be, or when it is too late.
    """
    email = normalise_email(typed)
    order = session.scalars(
        select(Order)
        .where(Order.id == order_id)
        .options(joinedload(Order.product))
        .with_for_update(of=Order)
    ).one()
    if not can_mend(order, now):
        raise BadInputError(
            "The address can be changed here for a day after buying.",
            "Write to the seller, who can change it at any time.",
            field="email",
        )
    if order.email and email_key(order.email) == email_key(email):
        raise BadInputError(
            "That is the address we have.",
            "Press “Send the link again” instead.",
            field="email",
        )
    change(session, order, email, now)
    return order


def change(session: Session, order: Order, email: str, now: datetime) -> None:
    """Give an order a new address and a new link, and mail it there.

    Said once more, the link that went there goes again.
    """
    if email != order.email:
        order.email = email
        order.customer_id = customers.find_or_create(session, email, now).id
        order.token_version += 1
        reservations.readdress(session, order)
        session.flush()
    if not emails.redirect(session, order, now):
        emails.receipt_again(session, order, now)
