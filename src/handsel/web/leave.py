"""No more mails like this one: the page behind the link in every mail to many.

GET and HEAD change nothing, because mail scanners follow links. A POST does at once, with
neither cookie nor nonce nor redirect, because mail programs send it by themselves
(RFC 8058); what it needs is the link.
"""

from flask import Blueprint, Response, request, url_for

from handsel.kit.errors import NotFoundError
from handsel.models import Order
from handsel.models.words import StopReason
from handsel.outbound import leaving, suppressions
from handsel.sales import orders
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop

blueprint = Blueprint("leave", __name__)
guard(
    blueprint,
    Policy("whoever got a mail that was sent to many", secret=True, foreign_posts=True),
)


@blueprint.get("/u/<token>")
def ask(token: str) -> Response:
    """Ask whether no more mails shall come; or, if none do, whether they shall again."""
    return _page(token, _order_behind(token))


@blueprint.post("/u/<token>")
def leave(token: str) -> Response:
    """Send no more mails to many to this address, or do so again. Safe to repeat."""
    shop = the_shop()
    order = _order_behind(token)
    assert order.email
    with shop.transaction() as session:
        if request.form.get("mails") == "again":
            suppressions.lift(session, order.email, StopReason.UNSUBSCRIBED)
        else:
            reason = StopReason.UNSUBSCRIBED
            suppressions.stop(session, order.email, reason, shop.now())
    return _page(token, order, done=True)


def _order_behind(token: str) -> Order:
    """Give the purchase whose buyer this is. Raises NotFoundError."""
    shop = the_shop()
    claimed = leaving.claimed_id(token)
    with shop.reading() as session:
        order = orders.by_public_id(session, claimed) if claimed else None
    if (
        order is None
        or not order.email
        or not leaving.proves(shop.keys, token, order.public_id)
    ):
        raise NotFoundError(
            "This link does not belong to anybody who gets mails from us.",
            "Take the one in the newest mail; it may have been cut in two.",
        )
    return order


def _page(token: str, order: Order, *, done: bool = False) -> Response:
    shop = the_shop()
    with shop.reading() as session:
        reasons = suppressions.reasons(session, order.email or "")
    return page(
        "leave.html",
        email=order.email,
        stopped=bool(reasons),
        mendable=reasons <= {StopReason.UNSUBSCRIBED},
        done=done,
        action=url_for("leave.leave", token=token),
    )
