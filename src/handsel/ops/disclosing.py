"""All that a shop knows of one buyer, given out to them (GDPR, article 15)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from handsel.models import (
    Base,
    Customer,
    Entitlement,
    Grant,
    Invoice,
    InvoiceParty,
    Note,
    Order,
    OrderVisit,
    OutboxItem,
    Recipient,
    Refund,
    Suppression,
    VatCheck,
)
from handsel.ops import privacy
from handsel.ops.privacy import Person
from handsel.shop import Shop


def export(shop: Shop, email: str) -> dict[str, Any]:
    """Give all that is known of a buyer, for them. Raises NotFoundError."""
    with shop.reading() as session:
        person = privacy.find(session, shop.keys, email)
        return export_in(session, person)


def export_in(session: Session, person: Person) -> dict[str, Any]:
    """The same within a look."""
    orders = session.scalars(
        select(Order)
        .where(Order.id.in_(person.order_ids))
        .options(joinedload(Order.product))
        .order_by(Order.id)
    ).all()
    return {
        "email": person.email,
        "customers": _rows(session, Customer, Customer.id.in_(person.customer_ids)),
        "orders": [_order(session, each) for each in orders],
        "updates_stopped": _rows(
            session, Suppression, Suppression.email_key == person.key
        ),
        "updates": _rows(
            session, Recipient, Recipient.customer_id.in_(person.customer_ids)
        ),
    }


def _order(session: Session, order: Order) -> dict[str, Any]:
    mine = order.id
    rights = select(Entitlement.id).where(Entitlement.order_id == mine)
    to_them = (OutboxItem.order_id == mine) & (OutboxItem.recipient != "")
    return {
        "number": order.number,
        "product": order.product.name,
        **_row(order),
        "mails": _rows(session, OutboxItem, to_them),
        "downloads": _rows(session, Grant, Grant.entitlement_id.in_(rights)),
        "refunds": _rows(session, Refund, Refund.order_id == mine),
        "invoices": _rows(session, Invoice, Invoice.order_id == mine),
        "invoice_addresses": _rows(
            session, InvoiceParty, InvoiceParty.order_id == mine
        ),
        "vat_checks": _rows(session, VatCheck, VatCheck.id == order.vat_check_id),
        "visits": _rows(session, OrderVisit, OrderVisit.order_id == mine),
        "notes": _rows(session, Note, Note.order_id == mine),
    }


def _rows(
    session: Session, table: type[Base], chosen: ColumnElement[bool]
) -> list[dict[str, Any]]:
    return [_row(each) for each in session.scalars(select(table).where(chosen))]


_OURS = {
    *("id", "token_version", "public_id", "checkout_key", "session_id", "payment_url"),
    *("press", "key", "dedupe", "lease_until", "next_at", "email_key", "email_domain"),
}
"""How the shop works inside; nothing that is about a person, or that opens anything."""


def _row(found: Base) -> dict[str, Any]:
    values = {
        column.key: getattr(found, column.key)
        for column in found.__mapper__.column_attrs
        if column.key not in _OURS and not column.key.endswith("_id")
    }
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
