"""Updates that are being written: kept as one writes, looked at, tried, sent once."""

import secrets
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError, ShopError
from handsel.kit.text import human_size
from handsel.ops import composing, drafting, sampling
from handsel.ops.composing import Look
from handsel.ops.desk import updates as read
from handsel.ops.drafting import Page, SentAlreadyError, WrittenElsewhereError
from handsel.outbound import roll
from handsel.outbound.post import sender_of
from handsel.web.admin.desk import (
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    outside,
    row_number,
    staff,
)
from handsel.web.admin.mails import MAIL_FRAME, WITH_FRAME
from handsel.web.admin.tray import on_tray
from handsel.web.pages import page, the_shop

NAMES_AT_ONCE = 50
KINDS = {"edition": True, "words": False}


@desk.get("/updates/new")
def new_update() -> Response:
    """Ask what it is to be about."""
    with the_shop().reading() as session:
        choices = read.choices(session)
    return page(
        "admin/update_new.html",
        choices=choices,
        chosen=request.args.get("product", ""),
        kind=request.args.get("kind", "edition"),
    )


@desk.post("/updates/new")
def begin_update() -> AnyResponse:
    """Begin a draft."""
    slug = request.form.get("product", "")
    draft_id = drafting.begin(
        the_shop(),
        slug,
        staff().email,
        edition=KINDS.get(request.form.get("kind", ""), True),
        witness=lambda session: audited(session, "update.drafted", slug),
    )
    return redirect(url_for("desk.draft", number=draft_id), 303)


@desk.get(f"/updates/drafts/<{NUMBER}:number>")
def draft(number: int) -> AnyResponse:
    """Show the form as it was left."""
    found = composing.look(the_shop(), number)
    if found.draft.campaign_id:
        return _sent(found.draft.campaign_id)
    return _form(found, found.draft.typed, _mine(found))


def _sent(campaign_id: int) -> AnyResponse:
    return redirect(url_for("desk.update", number=campaign_id), 303)


def _mine(found: Look) -> Page:
    return Page(secrets.token_urlsafe(12), found.draft.revision)


def _form(
    found: Look, typed: dict[str, Any], mine: Page, status: int = 200, clash: str = ""
) -> Response:
    shop = the_shop()
    product = found.draft.product
    return page(
        "admin/update_draft.html",
        status,
        draft=found.draft,
        product={"name": product.name, "slug": product.slug},
        versions=[each.version for each in product.releases][::-1],
        form={"values": typed, "errors": {}},
        mine=mine,
        clash=clash,
        now=shop.now(),
        usual_rate=shop.settings.mail.rate,
        **_shown(found),
        **on_tray(list(typed.get("uploads", {}))),
    )


def _shown(found: Look) -> dict[str, Any]:
    """Give what the part of a page shows that says what a draft comes to."""
    shelf = found.shelf
    return {
        "look": found,
        "number": found.draft.id,
        "comes": [
            {
                "name": new.name,
                "size": human_size(new.size),
                "replaces": old.name if old and old.name != new.name else "",
            }
            for new, old in (shelf.comes if shelf else ())
        ],
        "stays": [each.name for each in shelf.stays] if shelf else [],
        "goes": [each.name for each in shelf.goes] if shelf else [],
        "to_nobody": the_shop().transport.name == "folder",
    }


def _typed() -> dict[str, Any]:
    """Read what the form says; files by their ids, with the names they have."""
    names = {each.id: each.name for each in the_shop().uploads.waiting()}
    ticked = request.form.getlist("upload")
    uploads = {number: names[number] for number in ticked if number in names}
    words = {name: request.form.get(name, "") for name in drafting.LONGEST}
    return words | {"uploads": uploads}


def _page() -> Page:
    return Page(
        request.form.get("writer", "")[:32],
        request.form.get("revision", 0, type=row_number),
        over=bool(request.form.get("over")),
    )


def _keep(number: int) -> int:
    return drafting.keep(the_shop(), number, _typed(), _page(), staff().email)


@desk.post(f"/updates/drafts/<{NUMBER}:number>")
def keep_draft(number: int) -> AnyResponse:
    """Keep what was typed, and go where the button says."""
    try:
        _keep(number)
    except SentAlreadyError as error:
        return _sent(error.campaign_id)
    except WrittenElsewhereError as error:
        # Told of it, the next press keeps what stands here.
        found = composing.look(the_shop(), number)
        mine = Page(_page().writer, error.revision)
        return _form(found, _typed(), mine, 409, clash=str(error))
    go = request.form.get("go", "")
    if go == "look":
        return redirect(url_for("desk.draft_preview", number=number), 303)
    if go == "files":
        return redirect(url_for("desk.draft_files", number=number), 303)
    return done("desk.draft", "It is kept.", number=number)


@desk.post(f"/updates/drafts/<{NUMBER}:number>/keep")
def keep_typing(number: int) -> Response:
    """Keep what was typed while somebody goes on typing; say what it comes to."""
    try:
        revision = _keep(number)
    except (SentAlreadyError, WrittenElsewhereError) as error:
        return page(
            "admin/_clash.html",
            error.status,
            clash=str(error),
            number=number,
            campaign_id=getattr(error, "campaign_id", None),
        )
    found = composing.look(the_shop(), number)
    response = page("admin/_look.html", **_shown(found))
    response.headers["X-Revision"] = str(revision)
    return response


@desk.get(f"/updates/drafts/<{NUMBER}:number>/files")
def draft_files(number: int) -> Response:
    """Take files from a browser without scripts; what was typed is kept."""
    with the_shop().reading() as session:
        found = drafting.get(session, number)
    return page("admin/update_files.html", number=found.id, **on_tray())


@desk.post(f"/updates/drafts/<{NUMBER}:number>/discard")
def discard_draft(number: int) -> AnyResponse:
    """Throw a draft away."""
    drafting.throw_away(
        the_shop(),
        number,
        lambda session: audited(session, "update.discarded", f"draft {number}"),
    )
    return done("desk.updates", "The draft is gone. Its files wait in the tray.")


@desk.get(f"/updates/drafts/<{NUMBER}:number>/preview")
def draft_preview(number: int) -> AnyResponse:
    """Show the mail as buyers get it, what else changes, and the button that sends."""
    return _preview(number)


def _preview(
    number: int, status: int = 200, problem: str = "", to: str = ""
) -> AnyResponse:
    shop = the_shop()
    found = composing.look(shop, number, fresh=bool(problem))
    if found.draft.campaign_id:
        return _sent(found.draft.campaign_id)
    ready = found.told is not None and not found.wrong
    response = page(
        "admin/update_preview.html",
        status,
        letter=_letter(found) if ready else None,
        sender=_sender(),
        problem=problem,
        product={"name": found.draft.product.name},
        form={"values": {"to": to or staff().email}, "errors": {}},
        **_shown(found),
    )
    response.headers["Content-Security-Policy"] = WITH_FRAME
    return response


def _sender() -> str:
    sender = sender_of(the_shop().settings)
    return f"{sender.name} <{sender.address}>"


def _letter(found: Look) -> dict[str, str]:
    assert found.told
    return sampling.letter(the_shop(), found.told)


@desk.get(f"/updates/drafts/<{NUMBER}:number>/html")
def draft_html(number: int) -> Response:
    """Give the HTML of the mail alone, unable to do anything but be looked at."""
    found = composing.look(the_shop(), number)
    html = _letter(found)["html"] if found.told and not found.wrong else ""
    return framed(html)


def framed(html: str) -> Response:
    """Give the HTML of a mail for a frame in a page of ours."""
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MAIL_FRAME
    return response


@desk.post(f"/updates/drafts/<{NUMBER}:number>/test")
def test_update(number: int) -> AnyResponse:
    """Send the mail to one address at once, and say what the mail server said."""
    to = request.form.get("to", "").strip()
    try:
        with outside("update.tested", f"draft {number}"):
            composing.send_example(the_shop(), number, to)
    except ShopError as error:
        return _preview(number, error.status, error.plain, to)
    words = f"One mail is out to {to}. Its links lead nowhere; nobody else got one."
    return done("desk.draft_preview", words, number=number)


@desk.post(f"/updates/drafts/<{NUMBER}:number>/send")
def send_update(number: int) -> AnyResponse:
    """Send it to everyone: once, however often this is pressed."""
    confirmed()
    shop = the_shop()
    seen = request.form.get("seen", "")

    def witness(session: Session) -> None:
        count = seen.split("-")[1] if seen.count("-") > 1 else ""
        audited(session, "update.sent", f"draft {number}", buyers=count)

    try:
        campaign_id = composing.send(shop, number, seen, witness)
    except (BadInputError, ConflictError) as error:
        problem = f"Nothing was sent. {error.plain}"
        return _preview(number, error.status, problem)
    return _sent(campaign_id)


@desk.get(f"/updates/drafts/<{NUMBER}:number>/names")
def draft_names(number: int) -> Response:
    """List who would get it, or who would not for one reason."""
    shop = the_shop()
    found = composing.who(shop, number)
    why = request.args.get("why", "")
    after = request.args.get("after", 0, type=row_number)
    names = []
    if found.wanted:
        with shop.reading() as session:
            names = roll.asked(
                session, found.wanted, why, after=after, most=NAMES_AT_ONCE + 1
            )
    here: dict[str, Any] = {"number": number, "why": why or None}
    more = len(names) > NAMES_AT_ONCE
    return page(
        "admin/update_names.html",
        title=f"Who would get it: {found.draft.product.name}",
        names=names[:NAMES_AT_ONCE],
        why=why,
        lists=_lists(found),
        back_url=url_for("desk.draft", number=number),
        next_url=url_for(
            "desk.draft_names", after=names[NAMES_AT_ONCE - 1].mark, **here
        )
        if more
        else "",
        first_url=url_for("desk.draft_names", **here) if after else "",
    )


def _lists(found: Look) -> list[dict[str, Any]]:
    reach = found.reach
    if reach is None:
        return []
    there = [("", reach.recipients), *reach.left_out.items()]
    return [
        {
            "why": why,
            "count": count,
            "url": url_for("desk.draft_names", number=found.draft.id, why=why or None),
        }
        for why, count in there
    ]
