"""Finding every order that something happened to: one list for a quiet day.

PayPal has no list of orders, but keeps all news it had for our web hook, delivered or
not, for 30 days. An order nobody has approved makes no news: the shop knows its own.

Source: developer.paypal.com/docs/api/webhooks/v1, "List event notifications", and
developer.paypal.com/api/rest/webhooks/event-names.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from handsel.models.words import PaymentState
from handsel.sales.payments.base import Glimpse, UnknownSessionError
from handsel.sales.payments.paypal_errors import PayPalError
from handsel.sales.payments.paypal_webhook import object_of

if TYPE_CHECKING:
    from handsel.sales.payments.paypal_client import PayPalClient

_EVENTS = "/v1/notifications/webhooks-events"
_EVENTS_KEPT = timedelta(days=29)
_PAGE = 100

# What comes later in the life of an order wins, in whatever order the news are.
_STATES = {
    "CHECKOUT.ORDER.APPROVED": PaymentState.PROCESSING,
    "PAYMENT.CAPTURE.PENDING": PaymentState.PROCESSING,
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": PaymentState.EXPIRED,
    "PAYMENT.CAPTURE.DENIED": PaymentState.FAILED,
    "PAYMENT.CAPTURE.DECLINED": PaymentState.FAILED,
    "PAYMENT.CAPTURE.COMPLETED": PaymentState.COMPLETE,
}
_LATER = list(dict.fromkeys(_STATES.values()))


def sessions_since(
    client: "PayPalClient",
    order_of: Callable[[str], str],
    since: datetime,
    now: datetime,
) -> Iterator[Glimpse]:
    """Name the orders in PayPal's news since then, each once.

    Args:
        order_of: finds the order of a capture, by one call if it is not known.
    """
    states: dict[str, PaymentState] = {}
    moved: set[str] = set()
    for event in _events(client, max(since, now - _EVENTS_KEPT), now):
        order_id = _order_in(event, client, order_of)
        state = _STATES.get(str(event.get("event_type")))
        if order_id is None:
            continue
        if state is None:
            moved.add(order_id)
        else:
            known = states.setdefault(order_id, state)
            states[order_id] = max(known, state, key=_LATER.index)
    for order_id in moved:
        yield Glimpse(order_id, None)
    for order_id in states.keys() - moved:
        yield Glimpse(order_id, states[order_id])


def _events(
    client: "PayPalClient", since: datetime, now: datetime
) -> Iterator[dict[str, Any]]:
    query = {
        "start_time": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "end_time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "page_size": str(_PAGE),
    }
    while query:
        found = client.get(_EVENTS, **query)
        yield from found.get("events") or ()
        links = found.get("links") or ()
        following = [each["href"] for each in links if each["rel"] == "next"]
        # Only what it asks for: where PayPal lives is not for an answer to say.
        query = dict(parse_qsl(urlsplit(following[0]).query)) if following else {}


def _order_in(
    event: dict[str, Any], client: "PayPalClient", order_of: Callable[[str], str]
) -> str | None:
    """Name the order an event is about; None for what is not ours, or not followed."""
    kind, _, name = (object_of(event) or "").rpartition(":")
    try:
        if kind == "capture":
            return order_of(name)
        return name or None
    except UnknownSessionError:
        return None
    except PayPalError as error:
        if error.http_status == 404:
            return None
        raise
