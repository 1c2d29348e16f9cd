"""Whom the shop tells by web hook, at the desk."""

from urllib.parse import urlsplit

from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError
from handsel.ops import hooking
from handsel.ops.shelving import Witness
from handsel.outbound.webhooks import endpoints
from handsel.web.admin.desk import (
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    row_number,
)
from handsel.web.pages import page, the_shop

PAGE = 50


@desk.get("/hooks/out")
def outgoing() -> Response:
    """List those who are told, with a field to tell one more."""
    return _list({}, {})


def _list(values: dict[str, str], errors: dict[str, str]) -> Response:
    return page(
        "admin/outgoing.html",
        422 if errors else 200,
        told=hooking.everybody(the_shop()),
        form={"values": values, "errors": errors},
    )


@desk.post("/hooks/out")
def add_outgoing() -> AnyResponse:
    """Tell one more; its page shows the secret."""
    confirmed()
    shop, url = the_shop(), request.form.get("url", "")

    def note(session: Session, number: int) -> None:
        # Not the whole address: that of many services is a secret.
        host = urlsplit(url.strip()).hostname
        audited(session, "hook.added", str(number), host=host)

    also = "with_email" in request.form
    try:
        made, _ = hooking.add(shop, url, with_email=also, witness=note)
    except (BadInputError, ConflictError) as error:
        return _list({"url": url}, {"url": str(error)})
    return done("desk.one_outgoing", "It is told from now on.", number=made.id)


@desk.get(f"/hooks/out/<{NUMBER}:number>")
def one_outgoing(number: int) -> Response:
    """Show one: how it goes, and what it was told."""
    return _one(number, "")


def _one(number: int, secret: str) -> Response:
    shop, before = the_shop(), request.args.get("before", type=row_number)
    with shop.reading() as session:
        told = hooking.told(endpoints.get(session, number))
        items = endpoints.messages(session, number, before=before, most=PAGE + 1)
        found = [hooking.facts(each) for each in items]
    more = found[PAGE - 1]["id"] if len(found) > PAGE else None
    here = url_for("desk.one_outgoing", number=number)
    return page(
        "admin/one_outgoing.html",
        told=told,
        secret=secret,
        messages=found[:PAGE],
        next_url=f"{here}?before={more}" if more else "",
        first_url=here if before else "",
    )


@desk.post(f"/hooks/out/<{NUMBER}:number>/secret")
def outgoing_secret(number: int) -> Response:
    """Show the secret, this once; or make a new one."""
    confirmed()
    shop, new = the_shop(), request.form.get("new") == "yes"
    note = _noted("secret_renewed" if new else "secret_shown", number)
    return _one(number, hooking.secret(shop, number, new=new, witness=note))


def _noted(action: str, number: int, **detail: int) -> Witness:
    return lambda session: audited(session, f"hook.{action}", str(number), **detail)


@desk.post(f"/hooks/out/<{NUMBER}:number>/<action>")
def change_outgoing(number: int, action: str) -> AnyResponse:
    """Test it, start it, stop it, or take it out."""
    if action == "remove":
        confirmed()
    words = _change(number, action)
    if action == "remove":
        return done("desk.outgoing", words)
    return done("desk.one_outgoing", words, number=number)


def _change(number: int, action: str) -> str:
    shop, note = the_shop(), _noted(action, number)
    if action == "test":
        hooking.try_out(shop, number, witness=note)
        return "A test is on its way. Look again in a few seconds."
    if action == "start":
        missed = hooking.start(shop, number, witness=note)
        return f"It is told again, and of the {missed} things it missed."
    if action == "stop":
        hooking.stop(shop, number, witness=note)
        return "It is told nothing for now. What it misses is kept for 30 days."
    if action == "remove":
        hooking.remove(shop, number, witness=note)
        return "It is told no more."
    raise BadInputError("There is no such button.")


@desk.post(f"/hooks/out/<{NUMBER}:number>/again")
def replay_outgoing(number: int) -> AnyResponse:
    """Tell one message again."""
    shop, item = the_shop(), request.form.get("id", type=row_number) or 0
    note = _noted("message_replayed", number, message=item)
    hooking.replay(shop, item, of=number, witness=note)
    return done("desk.one_outgoing", "The message goes again.", number=number)
