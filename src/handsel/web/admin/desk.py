"""The seller's desk: who may come in, and what every page of it shares.

Views of the desk belong to `desk` and live in one file for each subject. Whoever is not
signed in is sent to the door (`door`), keeping what was asked for; a form that was sent
too late is shown again, so that nothing typed is lost.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import audit, passwords, sessions
from handsel.kit.errors import ShopError
from handsel.kit.sealing import UnreadableSecretError, seal, unseal
from handsel.kit.signing import check, sign
from handsel.models import Staff, StaffSession
from handsel.web import limits
from handsel.web.admin import kept
from handsel.web.admin.navigation import navigation
from handsel.web.guards import Policy, guard
from handsel.web.pages import cookie_name, network, page, set_cookie, the_shop

desk = Blueprint("desk", __name__, url_prefix="/admin")
guard(desk, Policy("the people who run the shop, signed in", secret=True))

COOKIE = "staff"
FORM_COOKIE = "desk"
FORM_FIELD = "form_token"
FORM_HEADER = "X-Form-Token"
CONFIRM_FIELD = "confirm_password"
OURS = (FORM_FIELD, CONFIRM_FIELD)
KEPT_FIELD = "kept"
KEPT_TO_SIGN_IN = timedelta(hours=12)
BY_ITSELF = "by_itself"
"""Stands in the address of a page that comes anew without scripts."""
NUMBER = "int(max=2147483647)"
"""How the number of a row stands in an address: no larger than both databases take."""
YEAR = 365 * 24 * 3600


class StaleFormError(ShopError):
    """A form does not come from a page of ours in this browser."""

    status = 403


class ConfirmError(ShopError):
    """Before this is done, whoever is in front of the browser must prove who they are."""

    status = 403


@desk.before_request
def _come_in() -> AnyResponse | None:
    """Let in who is signed in, and forms of ours alone."""
    # First, also for whoever is signed out: their page repeats what was sent.
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        check_form()
    if not seated():
        return _to_the_door()
    if KEPT_FIELD in request.form:
        _take_up()
    if not _asked_by_itself():
        note_life()
    return None


def seated() -> bool:
    """Find out who is there; say whether anybody is signed in. Reads no body."""
    shop = the_shop()
    token = request.cookies.get(cookie_name(COOKIE), "")
    with shop.reading() as session:
        g.staff_session = sessions.find(session, token, shop.now()) if token else None
    return g.staff_session is not None


def note_life() -> None:
    """Note that there is somebody: who does nothing for long is signed out."""
    shop, found = the_shop(), staff_session()
    if sessions.is_due(found, shop.now()):
        with shop.transaction() as session:
            sessions.note(session, found, shop.now())


def _asked_by_itself() -> bool:
    """Say whether the page asks again without anybody there: no sign of life."""
    return "HX-Request" in request.headers or request.args.get(BY_ITSELF) == "yes"


def _to_the_door() -> AnyResponse:
    """Send a browser to sign in; what it had typed stays on the page."""
    if "HX-Request" in request.headers:
        response = Response(status=401)
        response.headers["HX-Refresh"] = "true"
        return response
    if request.method in ("GET", "HEAD"):
        return redirect(
            url_for("door.sign_in", next=request.full_path.rstrip("?")), 303
        )
    return ended(request.full_path.rstrip("?"), request.path)


def ended(action: str, path: str, *more: tuple[str, str]) -> Response:
    """Keep what was typed by whoever was signed out meanwhile, to be sent to `action`.

    `more`: fields before all others, of a form that had files; those are not kept.
    """
    return page(
        "admin/ended.html",
        401,
        action=action,
        fields=_kept_fields(KEPT_TO_SIGN_IN, path, more),
        files=bool(more),
        sign_in_url=url_for("door.sign_in"),
    )


def _kept_fields(life: timedelta, path: str, more: kept.Fields = ()) -> kept.Fields:
    """Give what a form sent as one field, closed: keys are among it."""
    if closed := request.form.get(KEPT_FIELD):  # signed out while it was closed already
        return [(KEPT_FIELD, closed)]
    sent = request.form.items(multi=True)
    fields = [*more, *((name, value) for name, value in sent if name not in OURS)]
    shop, found = the_shop(), g.staff_session
    # Bound to the person, if there is one, and not to the session: signing in again
    # loses nothing.
    who = (found.staff.email_key,) if found else ()
    closed = kept.close(shop.keys, fields, _owner(path, *who), shop.now() + life)
    return [(KEPT_FIELD, closed)]


def _take_up() -> None:
    """Go on with what a form sent before a page came in between. Raises StaleFormError."""
    shop, closed, fields = the_shop(), request.form[KEPT_FIELD], None
    if g.staff_session:
        theirs = _owner(request.path, g.staff_session.staff.email_key)
        fields = kept.reopen(shop.keys, closed, theirs, shop.now())
    if fields is None:  # closed before anybody was signed in
        fields = kept.reopen(shop.keys, closed, _owner(request.path), shop.now())
    if fields is None:
        raise StaleFormError(
            "What you typed was kept for a while only, and that is over.",
            "Nothing was done. Open the page anew, and type it again.",
        )
    fields += [(name, request.form[name]) for name in OURS if name in request.form]
    request.form = ImmutableMultiDict(fields)


def _owner(path: str, *person: str) -> list[str]:
    """Name a place, this browser, and the person."""
    return [path, _form_mark(), *person]


def _form_mark() -> str:
    return request.cookies.get(cookie_name(FORM_COOKIE), "")


def staff_session() -> StaffSession:
    """Give the session of the browser that asks."""
    return cast(StaffSession, g.staff_session)


def staff() -> Staff:
    """Give who is signed in."""
    return staff_session().staff


def audited(session: Session, action: str, subject: str, /, **detail: Any) -> None:
    """Note in the open transaction what the person at the desk does with it.

    What changes the database is noted in the transaction that changes it; what is done
    outside, by `outside`. Nothing is done first and noted afterwards.

    Args:
        action: the thing, and the verb in the past: `order.refunded`.
        subject: what it was done to, as people name it.
        detail: what else a reader wants to know; no secret, no buyer's address.
    """
    audit.write(
        session,
        staff().email,
        action,
        subject,
        the_shop().now(),
        network=network(request.remote_addr),
        **detail,
    )


@contextmanager
def outside(action: str, subject: str, /, **detail: Any) -> Iterator[None]:
    """Note what is about to be done outside the database, and once more if it fails."""
    shop = the_shop()
    with shop.transaction() as session:
        audited(session, action, subject, **detail)
    try:
        yield
    except ShopError:
        with shop.transaction() as session:
            audited(session, f"{action}_failed", subject, **detail)
        raise


def confirmed() -> None:
    """Go on only if whoever is there proved who they are in the last ten minutes.

    The password may have come with this very form, from the page that asks for it. Raises
    ConfirmError, whose page keeps everything that was sent; not for forms with files.
    """
    shop = the_shop()
    if sessions.is_confirmed(staff_session(), shop.now()):
        return
    typed = request.form.get(CONFIRM_FIELD)
    if typed is None:
        raise ConfirmError("Is it still you?")
    limits.hit("confirm", most=5, minutes=15, who=staff().email_key, closed=True)
    if not passwords.matches(typed, staff().password_hash):
        with shop.transaction() as session:
            audited(session, "staff.password_refused", staff().email)
        raise ConfirmError("That is not your password.")
    with shop.transaction() as session:
        sessions.confirm(session, staff_session(), shop.now())


@desk.errorhandler(ConfirmError)
def _ask_who(error: ConfirmError) -> Response:
    wrong = CONFIRM_FIELD in request.form
    return page(
        "admin/confirm.html",
        error.status,
        action=request.full_path.rstrip("?"),
        fields=_kept_fields(sessions.IDLE, request.path),
        email=staff().email,
        form={"values": {}, "errors": {CONFIRM_FIELD: error.message} if wrong else {}},
        back_url=url_for("desk.home"),
    )


def form_token() -> Markup:
    """Give the hidden field that every form of the desk carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        FORM_FIELD, form_word()
    )


def form_word() -> str:
    """Give the word that proves a form to be ours, for this browser.

    It belongs to the browser and not to a session: what is typed into a page outlives
    half an hour of thought.
    """
    mark = request.cookies.get(cookie_name(FORM_COOKIE))
    if not mark:
        mark = g.setdefault("new_form_mark", secrets.token_urlsafe(16))
    return sign(the_shop().keys, "desk form", mark)


def check_form() -> None:
    """Refuse a form that no page of ours in this browser has sent. Raises StaleFormError."""
    origin = urlsplit(request.headers.get("Origin", ""))
    mark = _form_mark()
    if origin.netloc and origin.netloc != request.host:
        mark = ""
    said = request.headers.get(FORM_HEADER) or request.form.get(FORM_FIELD, "")
    if not mark or not check(the_shop().keys, "desk form", said, mark):
        raise StaleFormError(
            "This form did not come from a page of your desk.",
            "Open the page anew, and press the button there.",
        )


def keep_form_mark(response: AnyResponse) -> AnyResponse:
    """Give the browser its mark, if a form of this page needs one."""
    if mark := g.get("new_form_mark"):
        set_cookie(response, FORM_COOKIE, mark, seconds=YEAR)
    return response


desk.after_request(keep_form_mark)


def said(words: str) -> dict[str, str]:
    """Give the part of an address that makes the next page say something, once.

    Sealed: nobody else can make the desk say things, and whoever reads addresses, in a
    history or in the log of a proxy, reads no buyer's there.
    """
    return {"said": seal(the_shop().keys, "desk says", words.encode())}


def say_here(words: str) -> None:
    """Say what was done on the very page that answers; it has no address of its own."""
    g.said_here = words


def notice() -> str:
    """Give what is to be said on this page, by its address or at once; else nothing."""
    if words := g.get("said_here"):
        return str(words)
    sealed = request.args.get("said", "")
    try:
        return unseal(the_shop().keys, "desk says", sealed).decode() if sealed else ""
    except UnreadableSecretError:
        return ""


def done(endpoint: str, words: str, **values: Any) -> AnyResponse:
    """Go to a page after something was done, and say there what."""
    values |= said(words)
    return redirect(url_for(endpoint, **values), 303)


def row_number(text: str) -> int:
    """Read the number of a row from an address or a form. Raises ValueError."""
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError("no number of a row")
    return number


def desk_date(moment: datetime | str | None) -> str:
    """Write a moment as the whole desk does: to the minute, and that it is UTC."""
    if not moment:
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    # What a page was given as text may not say it; all of ours is UTC.
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return Markup(
        '<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{:%Y-%m-%d %H:%M} UTC</time>'
    ).format(at, at)


def prepare(app: Flask) -> None:
    """Give the templates of the desk what all of them use."""
    app.jinja_env.globals.update(
        form_token=form_token,
        form_word=form_word,
        navigation=navigation,
        notice=notice,
        desk_date=desk_date,
    )
