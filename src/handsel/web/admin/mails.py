"""Mails at the desk: what became of each, trying them, how they look."""

from typing import Any

from flask import Response, abort, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ShopError
from handsel.models.words import OutboxState
from handsel.ops import mailing, previewing
from handsel.outbound import outbox
from handsel.outbound.letters import Letter
from handsel.outbound.post import sender_of
from handsel.web.admin.desk import (
    audited,
    desk,
    done,
    outside,
    row_number,
    staff,
)
from handsel.web.pages import page, the_shop

PAGE = 50
KINDS = {"mail": outbox.MAIL, "hit": outbox.HIT}
WORDS = {
    OutboxState.WAITING: "waiting",
    OutboxState.SENDING: "on its way",
    OutboxState.SENT: "sent",
    OutboxState.DEAD: "given up",
}
MAIL_FRAME = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
)
"""What the HTML of a mail may do in a page of ours: be looked at."""
WITH_FRAME = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)


@desk.get("/mails")
def mails() -> Response:
    """List mails, newest first; `state` and `kind` choose, `before` goes on."""
    return _list({}, {})


def _list(values: dict[str, str], errors: dict[str, str]) -> Response:
    kind = request.args.get("kind", "mail")
    chosen = _state()
    before = request.args.get("before", type=row_number)
    with the_shop().reading() as session:
        items = outbox.newest(
            session,
            chosen,
            most=PAGE + 1,
            kind=KINDS.get(kind, outbox.MAIL),
            before=before,
        )
        found = [mailing.facts(item) for item in items]
    more = found[PAGE - 1]["id"] if len(found) > PAGE else None
    kept: dict[str, Any] = {"kind": kind, "state": chosen}
    return page(
        "admin/mails.html",
        422 if errors else 200,
        mails=found[:PAGE],
        kind=kind,
        state=chosen,
        words=WORDS,
        next_url=url_for("desk.mails", before=more, **kept) if more else "",
        first_url=url_for("desk.mails", **kept) if before else "",
        names=previewing.NAMES,
        form={"values": {"to": staff().email, **values}, "errors": errors},
    )


def _state() -> OutboxState | None:
    said = request.args.get("state", "")
    return OutboxState(said) if said in set(OutboxState) else None


@desk.post("/mails/test")
def test_mail() -> AnyResponse:
    """Send a test mail at once, and say what the mail server said."""
    typed = request.form.get("to", "")
    try:
        with outside("mail.tested", the_shop().transport.name):
            sent = mailing.send_test(the_shop(), typed)
    except BadInputError as error:
        return _list({"to": typed}, {"to": str(error)})
    except ShopError as error:
        return _list({"to": typed}, {"": str(error)})
    where = (
        "it is a file in the folder mail, sent to nobody"
        if sent["transport"] == "folder"
        else "look whether it arrives, and not among the spam"
    )
    return done("desk.mails", f"A test mail for {sent['to']} is out: {where}.")


@desk.post("/mails/retry")
def retry_mails() -> AnyResponse:
    """Let what was given up go again: one by its `id`, or all of a kind."""
    kind = request.form.get("kind", "mail")
    number = request.form.get("id", type=row_number)

    def note(session: Session, count: int) -> None:
        audited(session, "mail.retried", str(number or "all"), count=count)

    chosen = KINDS.get(kind, outbox.MAIL)
    count = mailing.retry(the_shop(), number, chosen, witness=note)
    word = f"1 {kind} goes" if count == 1 else f"{count} {kind}s go"
    return done("desk.mails", f"{word} again.", kind=kind)


@desk.get("/mails/looks/<name>")
def mail_look(name: str) -> Response:
    """Show a mail with example facts."""
    letter = _letter(name)
    sender = sender_of(the_shop().settings)
    response = page(
        "admin/mail_look.html",
        name=name,
        names=previewing.NAMES,
        letter=letter,
        sender=f"{sender.name} <{sender.address}>",
        html_url=url_for("desk.mail_html", name=name),
    )
    response.headers["Content-Security-Policy"] = WITH_FRAME
    return response


@desk.get("/mails/looks/<name>/html")
def mail_html(name: str) -> Response:
    """Give the HTML of that mail alone, unable to do anything but be looked at."""
    response = Response(_letter(name).html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MAIL_FRAME
    return response


def _letter(name: str) -> Letter:
    shop = the_shop()
    if name not in previewing.NAMES:
        abort(404)
    return previewing.preview(shop.home, shop.settings, name, test=shop.test_mode)
