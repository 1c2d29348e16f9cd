"""Every status and kind of the house, on one page.

Only words: payment providers and transports may import this module, but no table.
"""

from enum import StrEnum

FREE = "free"
"""The provider of an order that costs nothing."""
GIFT = "gift"
"""The provider of an order that the seller has given away."""


class ProductStatus(StrEnum):
    """Whether strangers can see a product."""

    DRAFT = "draft"
    PUBLISHED = "published"


class PaymentState(StrEnum):
    """What a provider says of one payment session."""

    OPEN = "open"  # the buyer has not finished
    PROCESSING = "processing"  # the buyer has finished, the money is on its way
    COMPLETE = "complete"  # the provider has finished; the facts say with what result
    FAILED = "failed"  # the money did not come
    EXPIRED = "expired"  # nobody paid in time, or the buyer cancelled


class FactKind(StrEnum):
    """What can happen to the money of an order. Facts are only ever added."""

    CAPTURE = "capture"
    REFUND = "refund"
    VOID = "void"  # the refund of the same object did not go through after all
    DISPUTE_OPEN = "dispute_open"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_SETTLED = "dispute_settled"
    MANUAL_GRANT = "manual_grant"  # a gift, a free order, the seller's decision
    MANUAL_REVOKE = "manual_revoke"
    KEPT = "kept"  # the refund of the same object leaves the files open


class RefundReason(StrEnum):
    """Why the seller gives money back; providers use it against fraud."""

    REQUESTED = "requested"  # the buyer asked for it
    DUPLICATE = "duplicate"  # the same was paid twice
    FRAUDULENT = "fraudulent"  # it was not the card's owner who paid


class RefundState(StrEnum):
    """How far giving money back has come, on our side; the ledger has the money."""

    ASKED = "asked"  # written down; the provider may or may not know of it yet
    MADE = "made"  # the provider has taken it on
    REFUSED = "refused"  # no money went
    UNKNOWN = "unknown"  # asked for, and nobody knows; to be heard of makes it MADE


class TaxClass(StrEnum):
    """What a product is to the tax office: some things have a rate of their own."""

    STANDARD = "standard"
    EBOOK = "ebook"
    AUDIOBOOK = "audiobook"


class TaxTreatment(StrEnum):
    """By which rule the tax of a sale was worked out."""

    NONE = "none"  # the seller charges none
    FLAT = "flat"  # one rate for everybody
    DOMESTIC = "domestic"  # the buyer is in the seller's own country
    DESTINATION = "destination"  # the rate of the buyer's EU country
    REVERSE_CHARGE = "reverse_charge"  # a business of another EU country pays it itself
    OUTSIDE = "outside"  # the buyer is not in the EU
    PROVIDER = "provider"  # the payment provider worked it out


class PaperKind(StrEnum):
    """What a numbered paper says: money that came in, or that went back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class LineKind(StrEnum):
    """What changed the balance a seller has at a provider."""

    SALE = "sale"
    REFUND = "refund"
    DISPUTE = "dispute"  # taken by a buyer's bank, or given back by it
    FEE = "fee"  # of no single payment: a monthly fee, a tool of the provider's
    RETURNED = "returned"  # a payout that did not arrive, and came back
    OTHER = "other"  # what the provider calls it is kept beside


class PayoutState(StrEnum):
    """How far money has come on its way from a provider to the seller's bank."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"  # some of these still fail, days later
    FAILED = "failed"  # it is in the balance again
    CANCELED = "canceled"


class OrderStatus(StrEnum):
    """What an order has come to; computed from its facts."""

    STARTED = "started"
    PROCESSING = "processing"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    EXPIRED = "expired"
    NEEDS_REVIEW = "needs_review"


class GrantState(StrEnum):
    """What has become of one press on a download button.

    A reserved or consumed grant is open and serves; a closed one was consumed and its
    window is over; a returned one was never half delivered and cost nothing.
    """

    RESERVED = "reserved"
    CONSUMED = "consumed"
    CLOSED = "closed"
    RETURNED = "returned"


class CampaignState(StrEnum):
    """How far a mail to everyone who bought has come."""

    DRAFT = "draft"  # made; who gets it is not written down yet
    SCHEDULED = "scheduled"  # begins by itself at its time
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class RecipientState(StrEnum):
    """What has become of one mail of a campaign."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # refused for good, or too often
    SKIPPED = "skipped"  # not to be mailed; the reason says why


class StopReason(StrEnum):
    """Why an address gets no more mails that are sent to many. Receipts still go."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class OutboxState(StrEnum):
    """How far something that leaves the house has come."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


class Level(StrEnum):
    """How bad it is what the doctor finds; an error means that the shop cannot work or
    loses money."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class HookState(StrEnum):
    """Whether somebody is told by web hook."""

    ACTIVE = "active"
    STOPPED = (
        "stopped"  # by the seller, by its own word (410), or after a day of failures
    )


class EventKind(StrEnum):
    """What somebody did on the way from a page to a book that is read."""

    VIEWED = "viewed"  # the page of a product, here or on the seller's own site
    CLICKED = "clicked"  # Buy: what it comes to is looked at
    STARTED = "started"  # paying
    PAID = "paid"
    OPENED = "opened"  # the page of the purchase, for the first time
    DOWNLOADED = "downloaded"  # a file of it, for the first time
    READ = "read"  # told by a page of the seller's
    REFUNDED = "refunded"  # money that went back, as a negative amount


class Device(StrEnum):
    """What somebody looks at pages with."""

    COMPUTER = "computer"
    PHONE = "phone"
    TABLET = "tablet"
    UNKNOWN = "unknown"


class CountedBy(StrEnum):
    """What the visits of a day are told apart by when they are counted."""

    ALL = "all"  # nothing
    SOURCE = "source"
    MEDIUM = "medium"
    CAMPAIGN = "campaign"
    COUNTRY = "country"
    DEVICE = "device"


class Part(StrEnum):
    """What of a product's page an experiment tries in several ways."""

    HEADLINE = "headline"
    DESCRIPTION = "description"
    COVER = "cover"
    BUTTON = "button"  # its words
    PRICE = "price"
    TEMPLATE = "template"  # the whole page, by templates of the seller's
    PAGE = "page"  # a page of the seller's own, on another site


class ExperimentState(StrEnum):
    """How far an experiment has come."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"


class DecidedBy(StrEnum):
    """What says which variant is better."""

    CONVERSION = "conversion"  # how many visitors buy
    REVENUE = "revenue"  # what a visitor brings, after refunds
