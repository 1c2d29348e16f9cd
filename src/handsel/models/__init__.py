"""Every table, one file for each thing the shop keeps.

Constraints live here, in the database, and not only in the code that writes.
`info={"personal": ...}` says of a column what erasing a buyer does to it: `erase`, or
`keep for tax`.
"""

from handsel.models.access import Allowance, Entitlement, Grant
from handsel.models.analytics import (
    CountedFact,
    DayCount,
    DaySalt,
    DayTax,
    Event,
    EventDay,
    EventMonth,
    MonthCount,
    OrderVisit,
    Source,
)
from handsel.models.balance import BalanceLine, BalanceReading, Payout
from handsel.models.base import Base
from handsel.models.brakes import Brake, Decline, MailCheck, PaymentStart
from handsel.models.campaigns import Campaign, Recipient, Suppression, UpdateDraft
from handsel.models.catalogue import (
    BundleItem,
    DeletedProduct,
    Product,
    ProductPrice,
    Release,
    ReleaseFile,
)
from handsel.models.coupons import Coupon, CouponUse
from handsel.models.customers import Block, Customer, FindLink
from handsel.models.experiments import Experiment, Exposure, OrderVariant, Variant
from handsel.models.hooks import HookEndpoint
from handsel.models.invoices import Invoice, InvoiceParty, Series, VatCheck
from handsel.models.orders import Inbox, LedgerEntry, Note, Order
from handsel.models.outbound import Duty, OutboxItem, RateCounter
from handsel.models.refunds import Refund
from handsel.models.staff import (
    AuditEntry,
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
    Staff,
    StaffInvite,
    StaffSession,
)
from handsel.models.upkeep import KeptFinding

__all__ = [
    "Allowance",
    "AuditEntry",
    "BalanceLine",
    "BalanceReading",
    "Base",
    "Block",
    "Brake",
    "BundleItem",
    "Campaign",
    "CountedFact",
    "Coupon",
    "CouponUse",
    "Customer",
    "DayCount",
    "DaySalt",
    "DayTax",
    "Decline",
    "DeletedProduct",
    "Duty",
    "Entitlement",
    "Event",
    "EventDay",
    "EventMonth",
    "Experiment",
    "Exposure",
    "FindLink",
    "Grant",
    "HookEndpoint",
    "Inbox",
    "Invoice",
    "InvoiceParty",
    "KeptFinding",
    "LedgerEntry",
    "MailCheck",
    "MonthCount",
    "Note",
    "Order",
    "OrderVariant",
    "OrderVisit",
    "OutboxItem",
    "Passkey",
    "PasskeyChallenge",
    "PaymentStart",
    "Payout",
    "Product",
    "ProductPrice",
    "RateCounter",
    "Recipient",
    "RecoveryCode",
    "Refund",
    "Release",
    "ReleaseFile",
    "Series",
    "Source",
    "Staff",
    "StaffInvite",
    "StaffSession",
    "Suppression",
    "UpdateDraft",
    "Variant",
    "VatCheck",
]
