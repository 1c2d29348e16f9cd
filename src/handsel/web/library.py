"""Who holds a link: the page of a purchase, and what can be done on it.

GET and HEAD change nothing, because mail scanners follow links; a press is a POST that
carries a nonce of the page.
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from handsel.delivery import access
from handsel.kit.errors import BadInputError
from handsel.kit.markdown import render_markdown
from handsel.kit.money import Money, format_money
from handsel.kit.signing import numbered
from handsel.kit.text import human_size
from handsel.models import Order, OutboxItem, Product, Release, ReleaseFile
from handsel.models.words import EventKind, OrderStatus, OutboxState, StopReason
from handsel.outbound import outbox, suppressions
from handsel.sales import addresses, catalogue, orders, releases
from handsel.web import limits, owned, papers, visits
from handsel.web.guards import Policy, guard
from handsel.web.links import (
    check_nonce,
    nonce,
    order_behind,
    purchase_path,
)
from handsel.web.pages import (
    cookie_name,
    page,
    set_cookie,
    the_shop,
    visitor_key,
    with_visitor,
)
from handsel.web.showing import cover_url

blueprint = Blueprint("library", __name__)
guard(blueprint, Policy("whoever holds the link of a purchase", secret=True))

NOTICES = {
    "sent": "We have sent the link again.",
    "moved": "We have sent the link to the new address. The old link no longer works.",
    "stale": "This page had been open for a while. Please press once more.",
}


@blueprint.get("/d/<token>")
def purchase(token: str) -> AnyResponse:
    """Show a purchase. Changes nothing, however often it is opened."""
    order = order_behind(the_shop(), token)
    fresh = request.cookies.get(cookie_name("fresh")) == order.public_id
    response = _page(token, order, autostart=fresh)
    if fresh:
        set_cookie(response, "fresh", "", seconds=0)
    owned.remember(response, token)
    visits.note(EventKind.OPENED, purchase=order.public_id)
    return with_visitor(response)


def _page(
    token: str,
    order: Order,
    *,
    status: int = 200,
    autostart: bool = False,
    address: dict[str, Any] | None = None,
) -> Response:
    shop = the_shop()
    groups = _groups(token, order)
    state = _state(order)
    return page(
        "purchase.html",
        status,
        state=state,
        order=_order(order),
        product=_product(order),
        groups=groups if state == "ready" else [],
        hidden={"nonce": nonce(token)},
        papers=papers.listed(token, order),
        autostart=autostart and state == "ready" and any(g["files"] for g in groups),
        mail_state=_mail_state(order),
        resend_action=url_for("library.resend", token=token),
        address_action=url_for("library.mend_address", token=token),
        mendable=addresses.can_mend(order, shop.now()),
        address=address or {"values": {"email": ""}, "errors": {}},
        notice=NOTICES.get(request.args.get("notice", ""), ""),
        seller_email=shop.settings.shop.email,
        check_url=request.path,
        refresh_seconds=5,
    )


def _state(order: Order) -> str:
    with the_shop().reading() as session:
        if access.can_access(session, order.id):
            return "ready"
    return {
        OrderStatus.STARTED: "processing",
        OrderStatus.PROCESSING: "processing",
        OrderStatus.REFUNDED: "refunded",
        OrderStatus.DISPUTED: "disputed",
        OrderStatus.NEEDS_REVIEW: "review",
    }.get(order.status, "revoked")


def _groups(token: str, order: Order) -> list[dict[str, Any]]:
    """Give what each product of the purchase has, that of a bundle under its name."""
    shop = the_shop()
    with shop.reading() as session:
        bought = catalogue.bought(session, order)
        running = access.running(session, order, visitor_key()[0], shop.now())
        left = access.taken_from(session, order)
        groups = [
            {
                "name": found.name if len(bought) > 1 else "",
                "news": [_news(each) for each in _later(found, release_id)[::-1]],
                "files": [
                    _file(token, order, pair, release_id)
                    | {"left": left.get(pair[1].id, order.download_limit)}
                    | {"running": pair[1].id in running}
                    for pair in _shown(found, release_id)
                ],
            }
            for found, release_id in bought
        ]
    return [each for each in groups if each["files"] or len(groups) == 1]


def _later(found: Product, release_id: int) -> list[Release]:
    """Give the editions that came after the one that was bought."""
    return [each for each in found.releases if each.id > release_id]


def _file(
    token: str, order: Order, pair: tuple[Release, ReleaseFile], release_id: int
) -> dict[str, Any]:
    release, file = pair
    on_sale = file.replaced_in is None
    return {
        "id": file.id,
        "name": file.name,
        "format": releases.file_format(file.name),
        "size": human_size(file.size),
        "version": release.version,
        "newest": on_sale,
        "news": on_sale and release.id > release_id,
        "sha256": file.sha256,
        "action": url_for("library.press", token=token, file_id=file.id),
        "limit": order.download_limit,
    }


def _shown(found: Product, release_id: int) -> list[tuple[Release, ReleaseFile]]:
    """List what is on sale, then what this purchase has of older editions."""
    every = [(release, file) for release in found.releases for file in release.files]
    kept = [pair for pair in every if pair[1].is_for(release_id)]
    return sorted(
        kept,
        key=lambda pair: (
            pair[1].replaced_in is not None,
            -pair[0].id if pair[1].replaced_in else 0,
            pair[1].position,
            pair[1].id,
        ),
    )


def _news(release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "date": release.created_at.date().isoformat(),
        "notes_html": Markup(render_markdown(release.notes, top=3)),  # noqa: S704  # safe by kit.markdown
    }


def _order(order: Order) -> dict[str, Any]:
    locale = the_shop().settings.shop.locale
    with the_shop().reading() as session:
        back = orders.refunded(session, order)
    return {
        "number": order.number,
        "email": order.email or "",
        "total": format_money(Money(order.price_minor, order.currency), locale),
        "refunded": format_money(back, locale) if back.minor else "",
        "date": (order.paid_at or order.created_at).date().isoformat(),
        "test": order.test,
    }


def _product(order: Order) -> dict[str, Any]:
    return {
        "name": order.product.name,
        "cover_url": cover_url(order.product),
        "cover_width": order.product.cover_width,
        "cover_height": order.product.cover_height,
    }


def _mail_state(order: Order) -> str:
    """Say how far the newest mail with this link has come."""
    with the_shop().reading() as session:
        if StopReason.BOUNCED in suppressions.reasons(session, order.email or ""):
            return "dead"
        state = session.scalars(
            select(OutboxItem.state)
            .where(OutboxItem.order_id == order.id, outbox.of_kind(outbox.MAIL))
            .order_by(OutboxItem.id.desc())
            .limit(1)
        ).one_or_none()
    known = {OutboxState.SENT: "sent", OutboxState.DEAD: "dead"}
    return known.get(state, "waiting") if state else "waiting"


@blueprint.post("/d/<token>/<int(max=2147483647):file_id>")
def press(token: str, file_id: int) -> AnyResponse:
    """Start a download: take one of the allowed ones, or go on with a running one."""
    shop = the_shop()
    order = order_behind(shop, token)
    if not check_nonce(token):
        return _stale(token)
    try:
        with shop.transaction() as session:
            grant = access.press(
                session,
                order,
                file_id,
                visitor_key()[0],
                window=timedelta(hours=shop.settings.delivery.grant_hours),
                now=shop.now(),
            )
    except access.DownloadsUsedUpError:
        return _used_up(token, order)
    visits.note(EventKind.DOWNLOADED, purchase=order.public_id)
    return redirect(
        url_for("files.fetch", token=numbered(shop.keys, "grant", grant)), 303
    )


def _stale(token: str) -> AnyResponse:
    return redirect(url_for("library.purchase", token=token, notice="stale"), 303)


def _used_up(token: str, order: Order) -> Response:
    return page(
        "used_up.html",
        410,
        product_name=order.product.name,
        order_number=order.number,
        limit=order.download_limit,
        seller_email=the_shop().settings.shop.email,
        purchase_url=url_for("library.purchase", token=token),
    )


@blueprint.post("/d/<token>/resend")
def resend(token: str) -> AnyResponse:
    """Mail the link once more to the address of the order."""
    shop = the_shop()
    order = order_behind(shop, token)
    if not check_nonce(token):
        return _stale(token)
    limits.hit("resend", most=3, minutes=60, who=order.public_id)
    with shop.transaction() as session:
        addresses.send_again(session, order, shop.now())
    return redirect(url_for("library.purchase", token=token, notice="sent"), 303)


@blueprint.post("/d/<token>/address")
def mend_address(token: str) -> AnyResponse:
    """Correct a mistyped address: the link changes, and goes to the new one."""
    shop = the_shop()
    order = order_behind(shop, token)
    if not check_nonce(token):
        return _stale(token)
    limits.hit("address", most=3, minutes=60, who=order.public_id)
    typed = request.form.get("email", "")
    try:
        with shop.transaction() as session:
            changed = addresses.mend(session, order.id, typed, shop.now())
    except BadInputError as error:
        address = {"values": {"email": typed}, "errors": {"email": str(error)}}
        return _page(token, order, status=422, address=address)
    return redirect(f"{purchase_path(shop.keys, changed)}?notice=moved", 303)
