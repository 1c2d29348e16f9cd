"""One's own account: password, codes for paper, passkeys, browsers that are signed in."""

from flask import Response, redirect, request, url_for
from sqlalchemy import update
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import codes, passkeys, passwords, people, sessions
from handsel.kit.errors import BadInputError
from handsel.models import Staff
from handsel.web.admin.desk import (
    COOKIE,
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    staff,
    staff_session,
)
from handsel.web.admin.door import MOST_ANSWER, party, the_party
from handsel.web.pages import page, set_cookie, the_shop


@desk.get("/account")
def account() -> Response:
    """Show how this person signs in, and where they are signed in."""
    return _page({})


def _page(errors: dict[str, str]) -> Response:
    shop, here = the_shop(), staff_session()
    with shop.reading() as session:
        keys = passkeys.of(session, staff())
        browsers = sessions.of(session, staff(), shop.now())
        paper = codes.recovery_codes_left(session, staff())
    return page(
        "admin/account.html",
        422 if errors else 200,
        email=staff().email,
        form={"values": {}, "errors": errors},
        shortest=passwords.SHORTEST,
        paper=paper,
        passkeys=keys,
        can_have_passkeys=party() is not None,
        browsers=[(each, each.id == here.id) for each in browsers],
    )


@desk.post("/account/password")
def change_password() -> AnyResponse:
    """Take a new password; every other browser is signed out."""
    confirmed()
    typed = request.form.get("password", "")
    shop = the_shop()
    try:
        passwords.check(typed, email=staff().email, shop_name=shop.settings.shop.name)
    except BadInputError as error:
        return _page({"password": str(error)})
    kept = passwords.keep(typed)
    with shop.transaction() as session:
        session.execute(
            update(Staff).where(Staff.id == staff().id).values(password_hash=kept)
        )
        sessions.end_others(session, staff(), staff_session())
        people.make_void(session, staff(), shop.now())
        audited(session, "staff.password_changed", staff().email)
    return done(
        "desk.account", "Your password is changed, and other browsers are signed out."
    )


@desk.post("/account/paper")
def new_paper() -> Response:
    """Make fresh codes for paper and show them, this once."""
    confirmed()
    shop = the_shop()
    with shop.transaction() as session:
        paper = codes.new_recovery_codes(session, shop.keys, staff())
        audited(session, "staff.recovery_codes_made", staff().email)
    return page(
        "admin/paper.html", codes=paper, first=False, onward=url_for("desk.account")
    )


@desk.post("/account/passkeys/new")
def new_passkey() -> Response:
    """Show the page that asks a device to make a passkey, and what for."""
    confirmed()
    shop = the_shop()
    with shop.transaction() as session:
        options = passkeys.offer(session, the_party(), staff(), shop.now())
    return page("admin/passkey.html", options=options, back_url=url_for("desk.account"))


@desk.post("/account/passkeys")
def add_passkey() -> AnyResponse:
    """Take what a device has made."""
    confirmed()
    shop = the_shop()
    answer = request.form.get("answer", "")[:MOST_ANSWER]
    name = request.form.get("name", "")
    try:
        with shop.transaction() as session:
            made = passkeys.keep(
                session, the_party(), staff(), answer, name, shop.now()
            )
            audited(session, "staff.passkey_added", staff().email, name=made.name)
    except BadInputError as error:
        return _page({"": str(error)})
    return done("desk.account", f"“{made.name}” can sign you in from now on.")


@desk.post(f"/account/passkeys/<{NUMBER}:number>/delete")
def drop_passkey(number: int) -> AnyResponse:
    """Forget a passkey."""
    confirmed()
    with the_shop().transaction() as session:
        if passkeys.drop(session, staff(), number):
            audited(session, "staff.passkey_deleted", staff().email)
    return done("desk.account", "The passkey is deleted.")


@desk.post(f"/account/sessions/<{NUMBER}:number>/end")
def end_session(number: int) -> AnyResponse:
    """Sign one browser out."""
    with the_shop().transaction() as session:
        if sessions.end(session, staff(), number):
            audited(session, "staff.signed_out", staff().email)
    if number == staff_session().id:
        return _out()
    return done("desk.account", "That browser is signed out.")


@desk.post("/account/sessions/end-others")
def end_other_sessions() -> AnyResponse:
    """Sign every other browser out."""
    with the_shop().transaction() as session:
        count = sessions.end_others(session, staff(), staff_session())
        if count:
            audited(session, "staff.signed_out", staff().email, browsers=count)
    return done("desk.account", "Every other browser is signed out.")


@desk.post("/sign-out")
def sign_out() -> AnyResponse:
    """Sign this browser out."""
    return end_session(staff_session().id)


def _out() -> AnyResponse:
    response = redirect(url_for("door.sign_in"), 303)
    set_cookie(response, COOKIE, "", seconds=0)
    return response
