"""The door of the desk: signing in by password and code or by passkey, and out."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.analytics import agents
from handsel.customers.staff import audit, codes, passkeys, passwords, people, sessions
from handsel.customers.staff.passkeys import Party, PasskeyRefusedError
from handsel.kit.errors import BadInputError, NotFoundError
from handsel.kit.signing import check_timed, timed_token
from handsel.kit.text import email_key, normalise_email
from handsel.models import Staff
from handsel.settings import is_loopback
from handsel.web import limits
from handsel.web.admin import known
from handsel.web.admin.desk import COOKIE, check_form, keep_form_mark
from handsel.web.guards import Policy, guard
from handsel.web.pages import cookie_name, network, page, set_cookie, the_shop

door = Blueprint("door", __name__, url_prefix="/admin")
guard(door, Policy("somebody who is about to sign in to the desk", secret=True))
door.after_request(keep_form_mark)

STEP = "second-step"
STEP_LIFE = timedelta(minutes=10)
WRONG = "This address and this password do not belong together."
WRONG_CODE = "This code is not right, or it was used already."
MOST_ANSWER = 20_000


@door.before_request
def _only_our_forms() -> None:
    if request.method == "POST":
        check_form()


def onward() -> str:
    """Give where to go once signed in: a page of the desk, whatever the address says."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    inside = parts.path.startswith("/admin/") and not parts.scheme and not parts.netloc
    plain = "\\" not in wanted and wanted.isprintable()
    return wanted if inside and plain else url_for("desk.home")


@door.get("/sign-in")
def sign_in() -> AnyResponse:
    """Ask who is there; whoever is signed in goes on."""
    shop = the_shop()
    token = request.cookies.get(cookie_name(COOKIE), "")
    with shop.reading() as session:
        here = token and sessions.find(session, token, shop.now())
    return redirect(onward(), 303) if here else _form({}, {})


def _form(values: dict[str, str], errors: dict[str, str]) -> Response:
    return page(
        "admin/sign_in.html",
        422 if errors else 200,
        form={"values": values, "errors": errors},
        action=url_for("door.prove_password"),
        onward=onward(),
        passkeys=party() is not None,
        ask_url=url_for("door.ask_passkey"),
        passkey_url=url_for("door.prove_passkey"),
    )


@door.post("/sign-in")
def prove_password() -> AnyResponse:
    """Take address and password; the same answer to whatever is wrong."""
    typed = request.form.get("email", "")[:254]
    _limit(typed)
    key, shop = _key(typed), the_shop()
    with shop.reading() as session:
        person = people.find(session, key) if key else None
    password = request.form.get("password", "")
    kept = person.password_hash if person else None
    if not passwords.matches(password[: passwords.LONGEST + 1], kept) or not person:
        _note_wrong(person, typed)
        return _form({"email": typed}, {"password": WRONG})
    limits.forget("sign-in", who=_here(typed))
    response = redirect(url_for("door.ask_code", next=onward()), 303)
    end = shop.now() + STEP_LIFE
    proof = timed_token(shop.keys, STEP, _subject(person), end)
    seconds = int(STEP_LIFE.total_seconds())
    set_cookie(response, STEP, f"{person.id}.{proof}", seconds=seconds)
    return response


def _note_wrong(person: Staff | None, typed: str) -> None:
    """Write into the log that a password was wrong: the first of a quarter of an hour,
    then every tenth, so that a stranger cannot fill it.

    Only for those who run the shop: what else is typed there may be a password. It is
    counted for everybody, so that the time it takes tells nothing.
    """
    shop, who = the_shop(), _key(typed) or typed.strip().lower()
    with shop.transaction() as session:
        tries = limits.count(session, "wrong-password", who=who, minutes=15)
        if person is not None and (tries == 1 or not tries % 10):
            audit.write(
                session, person.email, "staff.password_refused", person.email,
                shop.now(), network=network(request.remote_addr), tries=tries,
            )  # fmt: skip


def _limit(typed: str) -> None:
    """Slow down whoever tries addresses and passwords, never somebody else with them.

    A browser that signed in before has tries of its own. Behind a proxy that nobody told
    us of everybody seems to be this machine: then the network says nothing.
    """
    if not (known.mark_of(_key(typed)) or is_loopback(request.remote_addr or "")):
        place = network(request.remote_addr)
        limits.hit("sign-in-network", most=30, minutes=15, who=place, closed=True)
    limits.hit("sign-in", most=5, minutes=15, who=_here(typed), closed=True)
    limits.hit("sign-in-day", most=40, minutes=24 * 60, who=_here(typed), closed=True)


def _here(typed: str) -> str:
    key = _key(typed)
    if mark := known.mark_of(key):
        return f"{key} known {mark}"
    return f"{key or typed.strip().lower()} {network(request.remote_addr)}"


def _who(person: Staff) -> str:
    """Say whose tries of codes are counted.

    Not by network: whoever has many must not have as many tries for one code.
    """
    mark = known.mark_of(person.email_key)
    return f"{person.email_key} known {mark}" if mark else person.email_key


def _key(typed: str) -> str:
    """Give the one spelling of an address; empty for what is none."""
    try:
        return email_key(normalise_email(typed))
    except BadInputError:
        return ""


def _subject(person: Staff) -> str:
    """Name a person with their password: a new one makes half a sign-in worthless."""
    return f"{person.id} {person.password_hash}"


@door.get("/sign-in/code")
def ask_code() -> AnyResponse:
    """Ask for the second proof."""
    return _code_form({}) if _half_in() else _begin_again()


def _code_form(errors: dict[str, str]) -> Response:
    return page(
        "admin/code.html",
        422 if errors else 200,
        form={"values": {}, "errors": errors},
        action=url_for("door.prove_code"),
        onward=onward(),
        back_url=url_for("door.sign_in", next=onward()),
    )


def _half_in() -> Staff | None:
    """Give who has shown a password in this browser in the last ten minutes."""
    shop = the_shop()
    number, _, proof = request.cookies.get(cookie_name(STEP), "").partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    with shop.reading() as session:
        person = session.get(Staff, int(number))
    if person is None:
        return None
    valid = check_timed(shop.keys, STEP, _subject(person), proof, shop.now())
    return person if valid else None


def _begin_again() -> AnyResponse:
    return redirect(url_for("door.sign_in", next=onward()), 303)


@door.post("/sign-in/code")
def prove_code() -> AnyResponse:
    """Take the code of the app, or one from paper, and sign in."""
    person = _half_in()
    if person is None:
        return _begin_again()
    limits.hit("code", most=10, minutes=15, who=_who(person), closed=True)
    limits.hit("code-day", most=30, minutes=24 * 60, who=_who(person), closed=True)
    token = _with_code(person, request.form.get("code", "")[:40])
    if not token:
        return _code_form({"code": WRONG_CODE})
    for count in ("code", "code-day"):
        limits.forget(count, who=_who(person))
    return signed_in(token, person, onward())


def _with_code(shown: Staff, typed: str) -> str:
    """Sign in by a code; empty when it is not right, which is noted."""
    shop = the_shop()
    with shop.transaction() as session:
        # As they are now: meanwhile they may have begun anew, with another app.
        person = session.get(Staff, shown.id)
        if person is None or _subject(person) != _subject(shown):
            return ""
        if codes.spend(session, shop.keys, person, typed, shop.now()):
            return enter(session, person, "code")
        place = network(request.remote_addr)
        audit.write(
            session, person.email, "staff.code_refused", person.email, shop.now(),
            network=place,
        )  # fmt: skip
    return ""


def enter(session: Session, person: Staff, by: str) -> str:
    """Sign this browser in, and note that; give what its cookie holds."""
    shop = the_shop()
    sessions.end_of(session, request.cookies.get(cookie_name(COOKIE), ""))
    place = network(request.remote_addr)
    agent = agents.name(request.user_agent.string)
    audit.write(
        session, person.email, "staff.signed_in", person.email, shop.now(),
        network=place, by=by, browser=agent,
    )  # fmt: skip
    return sessions.start(session, person, sessions.Place(place, agent), shop.now())


def signed_in(token: str, person: Staff, url: str) -> AnyResponse:
    """Go on with a browser that has just signed in."""
    response = redirect(url, 303)
    set_staff_cookie(response, token)
    known.remember(response, person.email_key)
    set_cookie(response, STEP, "", seconds=0)
    return response


def set_staff_cookie(response: AnyResponse, token: str) -> None:
    """Let a browser show that it is signed in, for as long as that may last."""
    seconds = int(sessions.LONGEST.total_seconds())
    set_cookie(response, COOKIE, token, seconds=seconds)


def party() -> Party | None:
    """Say what passkeys of this shop are bound to, if it can have any."""
    settings = the_shop().settings
    return passkeys.party(settings.public_url, settings.shop.name)


def the_party() -> Party:
    """The same, for the addresses that need it. Raises NotFoundError."""
    found = party()
    if found is None:
        raise NotFoundError("Passkeys need a shop with a name, not a bare IP address.")
    return found


@door.post("/sign-in/passkey/ask")
def ask_passkey() -> dict[str, object]:
    """Say what a device should sign."""
    limits.hit("passkey", most=30, minutes=15, who=network(request.remote_addr))
    shop = the_shop()
    with shop.transaction() as session:
        return passkeys.ask(session, the_party(), shop.now())


@door.post("/sign-in/passkey")
def prove_passkey() -> AnyResponse:
    """Take what a device has signed, and sign in."""
    limits.hit("passkey", most=30, minutes=15, who=network(request.remote_addr))
    shop = the_shop()
    answer = request.form.get("answer", "")[:MOST_ANSWER]
    try:
        with shop.transaction() as session:
            person = passkeys.check(session, the_party(), answer, shop.now())
            token = enter(session, person, "passkey")
    except PasskeyRefusedError as error:
        return _form({}, {"": str(error)})
    return signed_in(token, person, onward())
