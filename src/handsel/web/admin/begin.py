"""The first visit: a link that `init`, `staff add` or a colleague gives, for once.

One page asks for everything, a second shows the codes for paper. What the app needs is
the same each time the page is opened, so nothing is stored before it is complete.
"""

from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import audit, codes, passwords, people
from handsel.kit.errors import BadInputError
from handsel.models import Staff, StaffInvite
from handsel.web import limits
from handsel.web.admin import known
from handsel.web.admin.door import door, enter, set_staff_cookie
from handsel.web.admin.pictures import qr_code
from handsel.web.pages import network, page, the_shop

WRONG_CODE = "This code is not right. Take the one the app shows now."


@door.get("/begin/<token>")
def begin(token: str) -> Response:
    """Ask for a password, and for the first code. Raises InviteSpentError."""
    made, person = _invited(token)
    return _page(token, made, person, {})


@door.post("/begin/<token>")
def come_in(token: str) -> AnyResponse:
    """Take both, sign in, and show the codes for paper. Raises InviteSpentError."""
    limits.hit("begin", most=30, minutes=15, who=network(request.remote_addr))
    made, person = _invited(token)
    shop = the_shop()
    secret = codes.offered_secret(shop.keys, *people.marks(made))
    typed = request.form.get("password", "")
    errors = _wrong(typed, person)
    counter = codes.counter_of(secret, request.form.get("code", "")[:40], shop.now())
    if counter is None:
        errors["code"] = WRONG_CODE
    if errors or counter is None:
        return _page(token, made, person, errors)
    kept = passwords.keep(typed)
    with shop.transaction() as session:
        person, paper = people.come_in(
            session,
            shop.keys,
            token,
            password_hash=kept,
            secret=secret,
            counter=counter,
            now=shop.now(),
        )
        cookie = _begun(session, person)
    response = page(
        "admin/paper.html", codes=paper, first=True, onward=url_for("desk.home")
    )
    set_staff_cookie(response, cookie)
    known.remember(response, person.email_key)
    return response


def _begun(session: Session, person: Staff) -> str:
    now, place = the_shop().now(), network(request.remote_addr)
    audit.write(session, person.email, "staff.began", person.email, now, network=place)
    return enter(session, person, "invitation")


def _wrong(password: str, person: Staff) -> dict[str, str]:
    try:
        passwords.check(
            password, email=person.email, shop_name=the_shop().settings.shop.name
        )
    except BadInputError as error:
        return {"password": str(error)}
    if password != request.form.get("again", ""):
        return {"again": "The two passwords are not the same."}
    return {}


def _invited(token: str) -> tuple[StaffInvite, Staff]:
    shop = the_shop()
    with shop.reading() as session:
        return people.invited(session, shop.keys, token, shop.now())


def _page(
    token: str, made: StaffInvite, person: Staff, errors: dict[str, str]
) -> Response:
    shop = the_shop()
    secret = codes.offered_secret(shop.keys, *people.marks(made))
    address = codes.address(secret, person.email, shop.settings.shop.name)
    return page(
        "admin/begin.html",
        422 if errors else 200,
        form={"values": {}, "errors": errors},
        action=url_for("door.come_in", token=token),
        email=person.email,
        shortest=passwords.SHORTEST,
        picture=qr_code(address),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        address=address,
    )
