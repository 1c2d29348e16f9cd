"""Web hooks at the desk: who tells us what, and hearing it again."""

from datetime import UTC, datetime

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.ops.desk import hooks as told
from handsel.ops.desk.hooks import PAGE, Message
from handsel.web.admin.desk import desk, done, outside
from handsel.web.pages import page, the_shop


@desk.get("/hooks")
def hooks() -> Response:
    """Show where messages come from, and the latest of them."""
    shop = the_shop()
    before = _before()
    with shop.reading() as session:
        sources = told.sources(session, shop.settings)
        found = told.latest(session, list(shop.providers), before)
    return page(
        "admin/hooks.html",
        sources=sources,
        messages=found[:PAGE],
        next_url=_next(found[PAGE - 1]) if len(found) > PAGE else "",
        first_url=url_for("desk.hooks") if before else "",
        days=told.KEPT.days,
    )


def _before() -> tuple[datetime, str] | None:
    said, _, event = request.args.get("before", "").partition("~")
    try:
        return datetime.fromtimestamp(int(said) / 1_000_000, UTC), event
    except (ValueError, OverflowError, OSError):
        return None


def _next(last: Message) -> str:
    mark = round(last.received_at.timestamp() * 1_000_000)
    return url_for("desk.hooks", before=f"{mark}~{last.event_id}")


@desk.post("/hooks/replay")
def replay() -> AnyResponse:
    """Ask the provider of a message for the truth once more."""
    shop = the_shop()
    provider = request.form.get("provider", "")
    event_id = request.form.get("event_id", "")
    with outside("hook.replayed", event_id, provider=provider[:60]):
        order = told.replay(shop, provider, event_id)
    return done(
        "desk.hooks", f"{provider} was asked again: {order.number} is {order.status}."
    )
