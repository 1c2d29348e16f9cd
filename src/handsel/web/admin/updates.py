"""Updates at the desk: mails to everyone who bought, and how far each has come."""

from typing import Any

from flask import Response, abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import ConflictError
from handsel.kit.rates import rate_words, time_words
from handsel.models.words import CampaignState, RecipientState
from handsel.ops import campaigning, drafting, sampling
from handsel.ops.desk import updates as read
from handsel.ops.desk.updates import AT_ONCE
from handsel.outbound import roll
from handsel.web.admin.desk import (
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    row_number,
)
from handsel.web.admin.drafts import NAMES_AT_ONCE, framed
from handsel.web.admin.mails import WITH_FRAME
from handsel.web.pages import page, the_shop

STATES = {
    CampaignState.DRAFT: "not begun",
    CampaignState.SCHEDULED: "scheduled",
    CampaignState.RUNNING: "running",
    CampaignState.PAUSED: "paused",
    CampaignState.FINISHED: "finished",
    CampaignState.CANCELLED: "cancelled",
}
LISTS = {
    "sent": (RecipientState.SENT,),
    "waiting": (RecipientState.WAITING, RecipientState.SENDING),
    "failed": (RecipientState.FAILED,),
    "skipped": (RecipientState.SKIPPED,),
}
STEPS = {
    "begin": ("update.begun", "It is on its way."),
    "pause": ("update.paused", "Paused. Mails that were on their way still arrive."),
    "resume": ("update.resumed", "It goes on, with whoever has not had it."),
    "cancel": ("update.cancelled", "Cancelled. Who has not got it does not get it."),
    "retry": ("update.retried", "The mails that failed go again."),
}
"""What can be done with one: how the log calls it, and what is said afterwards."""
STARTS = ("begin", "resume", "retry")
"""What lets mails go out, and asks who is there before."""


@desk.get("/updates")
def updates() -> Response:
    """List drafts and updates, newest first; `before` goes on."""
    before = request.args.get("before", type=row_number)
    with the_shop().reading() as session:
        drafts = drafting.listed(session) if before is None else []
        found = read.lines(session, before=before)
    more = len(found) > AT_ONCE
    return page(
        "admin/updates.html",
        drafts=drafts,
        updates=found[:AT_ONCE],
        words=STATES,
        next_url=url_for("desk.updates", before=found[AT_ONCE - 1].id) if more else "",
        first_url=url_for("desk.updates") if before else "",
    )


@desk.get(f"/updates/<{NUMBER}:number>")
def update(number: int) -> Response:
    """Show how far one has come; the page looks again by itself while it goes."""
    return _show(number)


def _show(number: int, status: int = 200, problem: str = "") -> Response:
    found = read.one(the_shop(), number)
    facts: dict[str, Any] = found.facts
    response = page(
        "admin/update.html",
        status,
        update=found,
        facts=facts,
        number=number,
        word=STATES[CampaignState(facts["state"])],
        rate=rate_words(facts["rate"]) if facts["rate"] else "",
        left=_left(facts["seconds_left"]),
        problem=problem,
        html_url=url_for("desk.update_html", number=number),
    )
    response.headers["Content-Security-Policy"] = WITH_FRAME
    return response


def _left(seconds: int | None) -> str:
    return "" if seconds is None else time_words(seconds)


@desk.get(f"/updates/<{NUMBER}:number>/html")
def update_html(number: int) -> Response:
    """Give the HTML of its mail alone, unable to do anything but be looked at."""
    shop = the_shop()
    return framed(sampling.letter(shop, read.told(shop, number))["html"])


@desk.post(f"/updates/<{NUMBER}:number>/<step>")
def steer(number: int, step: str) -> AnyResponse:
    """Pause, go on, cancel, or try again what failed."""
    if step not in STEPS:
        abort(404)
    if step in STARTS:
        confirmed()
    shop = the_shop()
    read.one(shop, number)
    action, words = STEPS[step]
    try:
        getattr(campaigning, step)(
            shop, number, lambda session: audited(session, action, f"update {number}")
        )
    except ConflictError:
        word = STATES[CampaignState(campaigning.facts(shop, number)["state"])]
        return _show(number, 409, f"That cannot be done any more: it is {word}.")
    return done("desk.update", words, number=number)


@desk.get(f"/updates/<{NUMBER}:number>/names")
def update_names(number: int) -> Response:
    """List who got it, who waits, who failed, or who got none and why."""
    which = request.args.get("which", "sent")
    if which not in LISTS:
        abort(404)
    shop = the_shop()
    found = read.one(shop, number)
    why = request.args.get("why", "")
    after = request.args.get("after", 0, type=row_number)
    with shop.reading() as session:
        names = roll.written(
            session, number, LISTS[which], why, after=after, most=NAMES_AT_ONCE + 1
        )
    here: dict[str, Any] = {"number": number, "which": which, "why": why or None}
    more = len(names) > NAMES_AT_ONCE
    return page(
        "admin/update_names.html",
        title=found.title,
        names=names[:NAMES_AT_ONCE],
        why=why or which,
        lists=_lists(found.facts, number),
        back_url=url_for("desk.update", number=number),
        next_url=url_for(
            "desk.update_names", after=names[NAMES_AT_ONCE - 1].mark, **here
        )
        if more
        else "",
        first_url=url_for("desk.update_names", **here) if after else "",
    )


def _lists(facts: dict[str, Any], number: int) -> list[dict[str, Any]]:
    counts = {
        "sent": facts["sent"],
        "waiting": facts["remaining"],
        "failed": facts["failed"],
    }
    lists = [
        {
            "why": which,
            "count": count,
            "url": url_for("desk.update_names", number=number, which=which),
        }
        for which, count in counts.items()
        if count or which == "sent"
    ]
    return lists + [
        {
            "why": why,
            "count": count,
            "url": url_for(
                "desk.update_names", number=number, which="skipped", why=why
            ),
        }
        for why, count in facts["skipped_why"].items()
    ]
